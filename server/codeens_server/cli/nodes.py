"""The nodes of a cluster in a line of progress."""

from __future__ import annotations

from collections.abc import Sequence

from codeens_sandbox_backends.ray.cluster import NodeState
from codeens_server.text import plural


def told_nodes(nodes: Sequence[NodeState]) -> str:
    """Return how many take work, with how many cores; empty where there is no cluster."""
    working = [node for node in nodes if not node.why]
    return f"{plural(len(working), 'node')} with {plural(sum(node.cpus for node in working), 'core')}" if nodes else ""
