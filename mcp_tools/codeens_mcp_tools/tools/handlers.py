"""All that tools and resources do, and what they need for it: takes long to import, so nothing imports it at first."""

from __future__ import annotations

from codeens_mcp_tools.resources import contents
from codeens_mcp_tools.tools.apply import apply_candidate
from codeens_mcp_tools.tools.compare import compare_candidates
from codeens_mcp_tools.tools.ensembles import cancel_run, get_run, start_ensemble
from codeens_mcp_tools.tools.generate import generate_variants
from codeens_mcp_tools.tools.listing import list_backends, list_models, list_variants
from codeens_mcp_tools.tools.run_code import run_in_sandbox
from codeens_mcp_tools.tools.score import score

__all__ = [
    "apply_candidate",
    "cancel_run",
    "compare_candidates",
    "contents",
    "generate_variants",
    "get_run",
    "list_backends",
    "list_models",
    "list_variants",
    "run_in_sandbox",
    "score",
    "start_ensemble",
]
