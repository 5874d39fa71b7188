"""Names that clients know: of messages, commands and kinds of code actions."""

from __future__ import annotations

RUN_CHANGED = "codeens/didChangeRun"
GENERATE = "codeens/generate"

RUN = "codeens.run"
APPLY = "codeens.apply"
DIFF = "codeens.diff"
CANCEL = "codeens.cancel"
RERUN = "codeens.rerun"
SHOW_RUN = "codeens.showRun"
PIN_INPUT = "codeens.pinInputAsTest"
REFUSE = "codeens.refuseCondition"
RERANK = "codeens.rerank"
APPLIED = "codeens.applied"
FIND_SLOW = "codeens.findSlowFunctions"
LIST_MODELS = "codeens.listModels"
LIST_RUNS = "codeens.listRuns"
COMMANDS = (
    *(RUN, APPLY, DIFF, CANCEL, RERUN, SHOW_RUN, PIN_INPUT, REFUSE, RERANK),
    *(LIST_MODELS, LIST_RUNS, APPLIED, FIND_SLOW),
)

REWRITE = "refactor.rewrite.codeens"
RUN_KIND = f"{REWRITE}.run"
APPLY_KIND = f"{REWRITE}.apply"
QUICK_FIX = "quickfix.codeens"
KINDS = (REWRITE, RUN_KIND, APPLY_KIND, QUICK_FIX)
