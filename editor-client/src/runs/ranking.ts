// A run in the order that the server gave it for other weights.

import type { Place, RankedResult, Reranked, Run } from "../protocol";

export function inOrder(run: Run, order: Reranked): Run {
  const rows = new Map(run.results.map((row) => [row.candidate.id, row]));
  const results = order.results.flatMap((place) => {
    const row = rows.get(place.candidate);
    return row ? [placed(row, place)] : [];
  });
  return {
    ...run,
    goal: order.goal,
    best: order.best,
    headline: order.headline,
    original: placed(run.original, order.original),
    results,
  };
}

function placed(row: RankedResult, place: Place): RankedResult {
  return { ...row, rank: place.rank, tied: place.tied };
}
