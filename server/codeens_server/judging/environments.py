"""One verdict from those of several interpreters: a candidate must hold in each."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import structs

from codeens_server.domain.verdict import EnvironmentVerdict, Verdict

_EXCEPTION = re.compile(r"(?:raises )?(?:[\w.]+:)?(\w*(?:Error|Exception|Warning|Exit|Interrupt|Iteration))\b")


def together(verdicts: Sequence[tuple[str, Verdict]]) -> Verdict:
    """Return the verdict that stands for all.

    Args:
        verdicts: the interpreter's version and what is said there; the first is the workspace's own.
    """
    lines = tuple(_line(python, verdict) for python, verdict in verdicts)
    failed = next(((python, verdict) for python, verdict in verdicts if not verdict.passes), None)
    if failed is not None:
        python, verdict = failed
        reason = f"Python {python}: {verdict.reason or verdict.status}"
        return structs.replace(verdict, reason=reason, environments=lines)
    first = verdicts[0][1]
    elsewhere = [(python, verdict) for python, verdict in verdicts[1:] if verdict.conditions]
    conditions = [
        structs.replace(condition, said=f"with Python {python} {condition.said}")
        for python, verdict in elsewhere
        for condition in verdict.conditions
    ]
    return structs.replace(
        first,
        status="conditional" if first.conditions or conditions else first.status,
        conditions=(*first.conditions, *conditions),
        uncompared=tuple(dict.fromkeys(name for _, verdict in verdicts for name in verdict.uncompared)),
        environments=lines,
    )


def _line(python: str, verdict: Verdict) -> EnvironmentVerdict:
    return EnvironmentVerdict(
        python=python,
        status=verdict.status,
        short="" if verdict.passes else _short(verdict),
        reason=verdict.reason,
        passed=verdict.passed,
        total=verdict.total,
        tests_passed=verdict.tests_passed,
        tests_total=verdict.tests_total,
    )


def _short(verdict: Verdict) -> str:
    """Return the exception that came where another outcome should have; else the status."""
    match = _EXCEPTION.match(verdict.failure.got) if verdict.failure else None
    return match[1] if match else verdict.status
