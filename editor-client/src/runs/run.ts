// One run as its events tell it. Pure: an event makes a new state.

import type {
  Candidate,
  EventParams,
  Measurement,
  Run,
  RunEvent,
  ShownRun,
  Verdict,
  Weights,
} from "../protocol";
import { ORIGINAL } from "../protocol";

export interface LiveCandidate {
  readonly candidate: Candidate;
  readonly verdict?: Verdict;
  readonly measurement?: Measurement;
  readonly broken?: string;
}

export interface RunState {
  readonly id: string;
  readonly uri: string;
  readonly qualname: string;
  readonly goal: string;
  readonly status: "running" | "done" | "failed";
  readonly doing: string;
  readonly planned: number;
  readonly generated: number;
  readonly costUsd: number;
  readonly live: ReadonlyMap<string, LiveCandidate>;
  /** The document; ranked again, the ranks are those of the weights. */
  readonly run?: Run;
  readonly weights?: Weights;
  readonly failure?: string;
}

export function begun(params: EventParams): RunState | undefined {
  const { event, runId, uri } = params;
  if (event.event !== "run_started") {
    return undefined;
  }
  return {
    id: runId,
    uri,
    qualname: event.target.qualname,
    goal: event.request.goal,
    status: "running",
    doing: "starting",
    planned: 0,
    generated: 0,
    costUsd: 0,
    live: new Map(),
  };
}

/** The state of a run that was made elsewhere, from its document. */
export function recalled({ uri, run }: ShownRun): RunState {
  return {
    id: run.run_id,
    uri,
    qualname: run.target.qualname,
    goal: run.goal,
    status: "done",
    doing: "",
    planned: run.summary.generated,
    generated: run.summary.generated,
    costUsd: 0,
    live: new Map(),
    run,
  };
}

export function after(state: RunState, event: RunEvent): RunState {
  switch (event.event) {
    case "run_started":
      return { ...state, status: "running", doing: "starting", planned: 0, generated: 0, live: new Map() };
    case "evidence_gathered":
      return { ...state, doing: "making, running and measuring candidates" };
    case "candidates_planned":
      return { ...state, planned: state.planned + event.count };
    case "candidate_generated":
      return withCandidate(state, event.candidate, event.duplicate_of !== null);
    case "generation_failed":
      return { ...state, costUsd: state.costUsd + (event.cost_usd ?? 0) };
    case "candidate_judged":
      return changed(state, event.candidate_id, { verdict: event.verdict });
    case "candidate_measured":
      return changed(state, event.candidate_id, { measurement: event.measurement });
    case "sandbox_failed":
      return changed(state, event.candidate_id, { broken: event.why });
    case "progress":
      return { ...state, doing: event.message };
    case "run_finished":
      return { ...state, run: event.run, status: "done", costUsd: event.run.summary.cost_usd };
  }
}

/** The state of a run of which nothing more will be heard. */
export function ended(state: RunState, failure: string | undefined): RunState {
  if (failure !== undefined) {
    return { ...state, status: "failed", failure };
  }
  return state.run
    ? { ...state, status: "done" }
    : { ...state, status: "failed", failure: "it came to no result" };
}

export function executed(state: RunState): number {
  return [...state.live.values()].filter((each) => each.verdict).length;
}

export function passed(state: RunState): number {
  return [...state.live.values()].filter((each) => each.verdict?.status === "passed").length;
}

function withCandidate(state: RunState, candidate: Candidate, isDuplicate: boolean): RunState {
  const live = new Map(state.live);
  if (!isDuplicate) {
    live.set(candidate.id, { candidate });
  }
  const costUsd = state.costUsd + (candidate.cost_usd ?? 0);
  return { ...state, live, costUsd, generated: state.generated + 1 };
}

function changed(state: RunState, id: string, news: Partial<LiveCandidate>): RunState {
  const before = state.live.get(id);
  if (id === ORIGINAL || before === undefined) {
    return state;
  }
  return { ...state, live: new Map(state.live).set(id, { ...before, ...news }) };
}
