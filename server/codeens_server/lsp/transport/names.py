"""Names that clients know: of commands, and of the kinds of code actions."""

from __future__ import annotations

RUN = "codeens.run"
APPLY = "codeens.apply"
DIFF = "codeens.diff"
CANCEL = "codeens.cancel"
RERUN = "codeens.rerun"
SHOW_RUN = "codeens.showRun"
KEEP_INPUT = "codeens.pinInputAsTest"
RERANK = "codeens.rerank"
COMMANDS = (RUN, APPLY, DIFF, CANCEL, RERUN, SHOW_RUN, KEEP_INPUT, RERANK)

REWRITE = "refactor.rewrite.codeens"
RUN_KIND = f"{REWRITE}.run"
APPLY_KIND = f"{REWRITE}.apply"
QUICK_FIX = "quickfix.codeens"
KINDS = (REWRITE, RUN_KIND, APPLY_KIND, QUICK_FIX)
