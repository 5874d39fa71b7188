"""All that tools and resources do, and what they need for it: takes long to import, so nothing imports it at first."""

from __future__ import annotations

from codeens_mcp_tools import shelf
from codeens_mcp_tools.applying import apply_candidate
from codeens_mcp_tools.asking import generate_variants
from codeens_mcp_tools.comparing import compare_candidates
from codeens_mcp_tools.ensembles import cancel_run, get_run, start_ensemble
from codeens_mcp_tools.listing import list_backends, list_models, list_variants
from codeens_mcp_tools.running import run_in_sandbox
from codeens_mcp_tools.scoring import score

__all__ = [
    "apply_candidate",
    "cancel_run",
    "compare_candidates",
    "generate_variants",
    "get_run",
    "list_backends",
    "list_models",
    "list_variants",
    "run_in_sandbox",
    "score",
    "shelf",
    "start_ensemble",
]
