// One run as the server shows it. Pure: news make a new state.

import type { RunChanged, RunView, Weights } from "../protocol";

export interface KnownRun {
  readonly uri: string;
  readonly view: RunView;
  /** What the rows are in order of, once the server was asked for it. */
  readonly weights?: Weights;
}

/** The run as it is now; weights are of a result, and a run under way has none. */
export function taken(before: KnownRun | undefined, { uri, view }: RunChanged): KnownRun {
  const keepsWeights = before?.weights !== undefined && view.status === "finished";
  return { uri, view, ...(keepsWeights ? { weights: before.weights } : {}) };
}

/** A run of which nothing more will be heard. */
export function ended(run: KnownRun, failure: string): KnownRun {
  return { ...run, view: { ...run.view, status: "failed", headline: failure } };
}
