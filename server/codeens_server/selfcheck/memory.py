"""Programs that hide what they allocate; none may be said to need less than the original."""

from __future__ import annotations

from codeens_sandbox_backends.programs import CallInput, ModuleSource, Program, Returned
from codeens_sandbox_backends.selfcheck.checks import CheckContext, SelfCheck
from codeens_server.domain.evidence import Case
from codeens_server.measuring.measure import MemoryComparison, compare_memory
from codeens_server.selfcheck.cheats.allocations import ALLOCATIONS, LEAN, ORIGINAL

_BYTES = 40_000_000
_LESS = 0.8


def cheats() -> list[SelfCheck]:
    """Hungry functions; none may be said to be lean, and a lean one may."""
    return [*(_check(name, source, lean=False) for name, source in ALLOCATIONS.items()), _check("", LEAN, lean=True)]


def _check(name: str, source: str, *, lean: bool) -> SelfCheck:
    async def run(context: CheckContext) -> str:
        original = await _needs(context, ORIGINAL)
        found = await _needs(context, source, original)
        less = found.memory is not None and found.memory.ratio is not None and found.memory.ratio < _LESS
        if less == lean:
            return ""
        return found.note or "it was not seen to need less" if lean else "it was said to need less memory"

    said = f"memory: {name}" if name else "memory: leaner code is seen to be leaner"
    return SelfCheck(name=said, kind="control" if lean else "cheat", run=run)


async def _needs(context: CheckContext, source: str, original: MemoryComparison | None = None) -> MemoryComparison:
    program = Program(module="fed", qualname="f", modules=(ModuleSource(name="fed", source=source),))
    call = CallInput(args=(_BYTES,))
    case = Case(id="1", origin="generated", input=call, expected=Returned(value=_BYTES, args=call.args))
    return await compare_memory(program, (case,), context.sandbox, original.memory if original else None)
