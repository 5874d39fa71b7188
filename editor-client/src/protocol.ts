// What the server and the extension say to each other beside LSP: the part of docs/protocol.md and docs/schema.json
// that is used here.

export const EVENT = "codeens/event";
export const GENERATE = "codeens/generate";
export const ORIGINAL = "original";

export const COMMANDS = {
  run: "codeens.run",
  rerun: "codeens.rerun",
  cancel: "codeens.cancel",
  apply: "codeens.apply",
  diff: "codeens.diff",
  showRun: "codeens.showRun",
  pinInput: "codeens.pinInputAsTest",
  rerank: "codeens.rerank",
} as const;

export type Goal = "balanced" | "correctness" | "speed" | "memory" | "readability";
export type Mode = "improve" | "repair" | "implement";
export type Status = "passed" | "failed" | "error" | "timeout" | "refused";
export type Grade = "tests" | "differential" | "agreement" | "none";

export interface Target {
  readonly path: string;
  readonly qualname: string;
}

export interface Candidate {
  readonly id: string;
  readonly model: string;
  readonly variant: string;
  readonly source: string;
  readonly same_as: readonly string[];
  readonly rationale: string;
  readonly cost_usd: number | null;
}

export interface Failure {
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly traceback: string;
}

export interface Verdict {
  readonly status: Status;
  readonly passed: number;
  readonly total: number;
  readonly tests_passed: number;
  readonly tests_total: number;
  readonly evidence: Grade;
  readonly isolation: "separate" | "shared" | "none";
  readonly sandbox: string;
  readonly reason: string;
  readonly failure: Failure | null;
}

export interface Interval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly note: string;
}

export interface Memory {
  readonly peak_bytes: number;
  readonly ratio: number | null;
}

export interface Readability {
  readonly score: number;
}

export interface DiffSize {
  readonly added: number;
  readonly removed: number;
}

export interface Measurement {
  readonly speed: Interval | null;
  readonly memory: Memory | null;
  readonly readability: Readability | null;
  readonly diff: DiffSize;
}

export interface RankedResult extends Measurement {
  readonly rank: number | null;
  readonly candidate: Candidate;
  readonly verdict: Verdict;
  readonly cost_usd: number | null;
  readonly tied: boolean;
  readonly cluster: number | null;
  readonly reason: string;
}

export interface DistinguishingInput {
  readonly other: number;
  readonly call: string;
  readonly here: string;
  readonly there: string;
}

export interface Cluster {
  readonly index: number;
  readonly members: readonly string[];
  readonly weight: number;
  readonly differences: readonly DistinguishingInput[];
}

export interface Evidence {
  readonly mode: Mode;
  readonly cases: readonly unknown[];
  readonly tests: readonly unknown[];
  readonly coverage: { readonly hit: number; readonly total: number } | null;
  readonly notes: readonly string[];
}

export interface RunSummary {
  readonly generated: number;
  readonly executed: number;
  readonly passed: number;
  readonly cost_usd: number;
  readonly cost_known: boolean;
  readonly wall_s: number;
  readonly stopped: string;
  readonly failures: readonly string[];
}

export interface Run {
  readonly run_id: string;
  readonly target: Target;
  readonly mode: Mode;
  readonly goal: Goal;
  readonly evidence: Evidence;
  readonly original: RankedResult;
  readonly results: readonly RankedResult[];
  readonly clusters: readonly Cluster[];
  readonly best: string;
  readonly headline: string;
  readonly summary: RunSummary;
}

export interface RunRequest {
  readonly goal: Goal;
}

export type RunEvent =
  | {
      readonly event: "run_started";
      readonly run_id: string;
      readonly request: RunRequest;
      readonly target: Target;
    }
  | { readonly event: "evidence_gathered"; readonly evidence: Evidence }
  | { readonly event: "candidates_planned"; readonly count: number }
  | {
      readonly event: "candidate_generated";
      readonly candidate: Candidate;
      readonly duplicate_of: string | null;
    }
  | { readonly event: "generation_failed"; readonly model: string; readonly cost_usd: number | null }
  | { readonly event: "candidate_judged"; readonly candidate_id: string; readonly verdict: Verdict }
  | { readonly event: "candidate_measured"; readonly candidate_id: string; readonly measurement: Measurement }
  | { readonly event: "sandbox_failed"; readonly candidate_id: string; readonly why: string }
  | { readonly event: "progress"; readonly message: string }
  | { readonly event: "run_finished"; readonly run: Run };

interface OfRun {
  readonly runId: string;
  readonly uri: string;
}

export type EventParams = OfRun & { readonly event: RunEvent };
/** The end of a run that failed after it had begun. */
export type FailureParams = OfRun & { readonly failure: string };

export interface RunArguments {
  readonly uri: string;
  readonly function?: string;
  readonly line?: number;
  readonly goal?: Goal;
  readonly mode?: "auto" | Mode;
  readonly models?: readonly string[];
  readonly variants?: readonly string[];
  readonly fresh?: boolean;
}

export interface RowArguments {
  readonly runId: string;
  readonly candidate?: string;
}

export interface PinArguments {
  readonly runId: string;
  readonly number: number;
  readonly right?: number;
}

export interface Started {
  readonly runId: string;
  readonly headline: string | null;
  readonly best: string | null;
}

export interface DiffResult {
  readonly runId: string;
  readonly candidate: string;
  readonly uri: string;
  readonly before: string;
  readonly after: string;
}

export interface ShownRun {
  readonly uri: string;
  readonly run: Run;
}

export interface KeptTest {
  readonly uri: string;
  readonly test: string;
}

export interface Weights {
  readonly correctness: number;
  readonly quality: number;
  readonly speed: number;
  readonly efficiency: number;
}

export interface RerankArguments {
  readonly runId: string;
  readonly goal?: Goal;
  readonly weights?: Weights;
}

export interface Place {
  readonly candidate: string;
  readonly rank: number | null;
  readonly tied: boolean;
}

export interface Reranked {
  readonly runId: string;
  readonly goal: Goal;
  readonly weights: Weights;
  readonly best: string;
  readonly headline: string;
  readonly original: Place;
  readonly results: readonly Place[];
}

export interface GenerateParams {
  readonly model: string | null;
  readonly messages: readonly { readonly role: "system" | "user"; readonly content: string }[];
  readonly temperature: number;
  readonly topP?: number | null;
  readonly maxTokens: number;
}

export interface GenerateResult {
  readonly text: string;
  readonly tokensIn: number;
  readonly tokensOut: number;
}
