"""HumanEval's reference solutions with one in ten made endless and one in ten made to crash."""

from __future__ import annotations

from msgspec import structs

from codeens_server.bench.samples import Sample

_ENDLESS = "\nwhile True:  # wrong\n    pass\n"
_CRASHES = (
    "\nraise ValueError('no')  # wrong\n",
    "\nimport os\nos._exit(3)  # wrong\n",
    "\nraise ValueError('no')  # wrong\n",
    "\nimport ctypes\nctypes.string_at(0)  # wrong\n",
)


def mixed(samples: list[Sample]) -> list[Sample]:
    """The same samples, of which every tenth hangs and every tenth raises, leaves or is killed by SIGSEGV."""
    return [structs.replace(sample, source=sample.source + _ending(sample.number)) for sample in samples]


def _ending(number: int) -> str:
    if number % 10 == 3:
        return _ENDLESS
    return _CRASHES[number // 10 % len(_CRASHES)] if number % 10 == 7 else ""
