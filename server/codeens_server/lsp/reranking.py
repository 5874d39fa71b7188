"""`codeens.rerank`: what a run found, ranked for another goal or by other weights; nothing is run again."""

from __future__ import annotations

from typing import Any

import anyio.to_thread
import msgspec
from lsprotocol import types
from msgspec import Struct

from codeens_server.config.settings import Settings, Weights
from codeens_server.domain import Goal, RankedResult, Run, Score
from codeens_server.lsp.arguments import RerankArguments, read
from codeens_server.lsp.recalling import Recalling


class Place(Struct, frozen=True, kw_only=True, rename="camel"):
    """Where a candidate stands."""

    candidate: str
    rank: int | None
    tied: bool
    score: Score | None


class Reranked(Struct, frozen=True, kw_only=True, rename="camel"):
    """The new order, best first; it is not kept."""

    run_id: str
    goal: Goal
    weights: Weights
    best: str
    headline: str
    original: Place
    results: tuple[Place, ...]


class Reranking:
    """The command."""

    def __init__(self, recalling: Recalling) -> None:
        self._recalling = recalling

    async def execute(self, params: types.ExecuteCommandParams) -> dict[str, Any]:
        """Rank again."""
        asked = read(params, RerankArguments)
        record = await self._recalling.record(asked.run_id)
        ranked = await anyio.to_thread.run_sync(_reranked, record.finished(), asked, record.settings)
        return msgspec.to_builtins(ranked)


def _reranked(run: Run, asked: RerankArguments, settings: Settings) -> Reranked:
    # Nothing of it is needed before the first answer of the server.
    from codeens_server.ranking.rank import rerank
    from codeens_server.ranking.score import weights_for
    from codeens_server.ranking.scorers import load_scorers

    goal = asked.goal or run.goal
    weights = asked.weights or weights_for(goal, settings)
    again = rerank(run, goal=goal, weights=weights, scorers=load_scorers(settings))
    return Reranked(
        run_id=run.run_id,
        goal=goal,
        weights=weights,
        best=again.best,
        headline=again.headline,
        original=_place(again.original),
        results=tuple(_place(row) for row in again.results),
    )


def _place(row: RankedResult) -> Place:
    return Place(candidate=row.candidate.id, rank=row.rank, tied=row.tied, score=row.score)
