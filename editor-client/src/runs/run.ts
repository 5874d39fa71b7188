// One run as the server shows it. Pure: news make a new state.

import type { Reranked, RunChanged, RunView, Weights } from "../protocol";

export interface KnownRun {
  readonly uri: string;
  readonly view: RunView;
  /** How long it has been under way, and about how long it still takes. */
  readonly time?: string;
  /** What the rows are in order of, once the server was asked for it. */
  readonly weights?: Weights;
  /** What these weights are called. */
  readonly by?: Reranked["by"];
}

/** The run as it is now; weights are of a result, and a run under way has none. */
export function taken(before: KnownRun | undefined, { uri, view, time }: RunChanged): KnownRun {
  const { weights, by } = before ?? {};
  return { uri, view, time, ...(weights && by && view.status === "finished" ? { weights, by } : {}) };
}

/** A run of which nothing more will be heard. */
export function ended(run: KnownRun, failure: string): KnownRun {
  return { ...run, view: { ...run.view, status: "failed", headline: failure } };
}
