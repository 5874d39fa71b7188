"""Who is asked: Thompson sampling over model and variant on wins for a dollar, from what earlier runs and this one say.

W. R. Thompson, On the likelihood that one unknown probability exceeds another, Biometrika 1933.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from random import Random
from typing import TYPE_CHECKING, TypeAlias

from msgspec.structs import replace

from codeens_server.domain.systems import System, SystemRecord

if TYPE_CHECKING:
    from codeens_server.store.statistics import SystemLine

Records: TypeAlias = Mapping[System, SystemRecord]
_ENSEMBLE = 4
_DRAWS = 1000
_LEAST_USD = 0.0005
"""What asking costs at the least, in time: else a free model that never wins would be asked before all others."""
_MOST_TRIES = 20
"""Earlier runs weigh as much as so many answers of this one."""


def drawn_ensemble(systems: Sequence[System], records: Iterable[SystemRecord]) -> tuple[System, ...]:
    """Return who is asked where that is left to what earlier runs say: each time drawn anew, so that all are tried."""
    random = Random()  # noqa: S311  nobody gains by guessing it
    return tuple(drawn(systems, joined(records, ()), random)[:_ENSEMBLE])


def shares_of(systems: Sequence[System], records: Iterable[SystemRecord]) -> dict[System, float]:
    """Return how often each would be asked."""
    random, known = Random(0), joined(records, ())  # noqa: S311  people see the same shares at every look
    draws = (system for _ in range(_DRAWS) for system in drawn(systems, known, random)[:_ENSEMBLE])
    return {system: count / _DRAWS for system, count in Counter(draws).items()}


def records_of(lines: Iterable[SystemLine]) -> tuple[SystemRecord, ...]:
    """Return what the store says of systems."""
    return tuple(
        SystemRecord(
            model=line.model,
            variant=line.variant,
            tries=line.runs,
            wins=round(line.won.value * line.won.cases),
            usd=line.cost_usd / line.answers if line.cost_known and line.answers else None,
        )
        for line in lines
    )


def joined(earlier: Iterable[SystemRecord], now: Iterable[SystemRecord]) -> dict[System, SystemRecord]:
    """Return the records of earlier runs, which weigh no more than a few answers, with those of this run added."""
    found = {record.system: _shortened(record) for record in earlier}
    for record in now:
        known = found.get(record.system)
        found[record.system] = record if known is None else _sum(known, record)
    return found


def _shortened(record: SystemRecord) -> SystemRecord:
    share = min(1.0, _MOST_TRIES / record.tries) if record.tries else 1.0
    return replace(record, tries=share * record.tries, wins=share * record.wins)


def _sum(known: SystemRecord, more: SystemRecord) -> SystemRecord:
    usd = more.usd if known.usd is None else known.usd
    return replace(known, tries=known.tries + more.tries, wins=known.wins + more.wins, usd=usd)


def drawn(systems: Sequence[System], records: Records, random: Random) -> list[System]:
    """Return the systems in the order of one draw from what is believed of each: wins for a dollar, the most first."""
    known = [records[system].usd for system in systems if system in records]
    prices = [usd for usd in known if usd is not None]
    usual = sum(prices) / len(prices) if prices else _LEAST_USD

    def worth(system: System) -> float:
        record = records.get(system)
        tries, wins, usd = (record.tries, record.wins, record.usd) if record else (0.0, 0.0, None)
        return random.betavariate(1 + wins, 1 + tries - wins) / max(usual if usd is None else usd, _LEAST_USD)

    worths = {system: worth(system) for system in systems}
    return sorted(systems, key=lambda system: -worths[system])
