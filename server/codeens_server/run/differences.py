"""The smallest inputs on which candidates differ, numbered for people."""

from __future__ import annotations

from codeens_server.domain import DistinguishingInput, Run


def numbered_differences(run: Run) -> list[tuple[int, DistinguishingInput]]:
    """Each pair of clusters once, as (index of the cluster that tells it, difference), in a fixed order."""
    return [
        (cluster.index, difference)
        for cluster in run.clusters
        for difference in cluster.differences
        if not _told_by_other(run, cluster.index, difference)
    ]


def _told_by_other(run: Run, group: int, difference: DistinguishingInput) -> bool:
    """Whether the other cluster, of a lower index, tells the same pair."""
    return difference.other < group and any(
        mirrored.other == group
        for cluster in run.clusters
        if cluster.index == difference.other
        for mirrored in cluster.differences
    )
