// Made by `python -m codeens_server.lsp.schemas` from the types of the server. Do not edit.

export const RUN_CHANGED = "codeens/didChangeRun";
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
  refuse: "codeens.refuseCondition",
  rerank: "codeens.rerank",
  listModels: "codeens.listModels",
  listRuns: "codeens.listRuns",
  applied: "codeens.applied",
  findSlow: "codeens.findSlowFunctions",
} as const;

export type Goal = "balanced" | "correctness" | "speed" | "memory" | "readability";
export type Mode = "improve" | "repair" | "implement";
export type Remedy = "key" | "models" | "budget" | "time" | "later";
export type ColumnKey = "place" | "candidate" | "verdict" | "speed" | "memory" | "readability" | "lines";
export type RunStatus = "queued" | "running" | "finished" | "failed" | "interrupted";
export type RowStatus = "passed" | "conditional" | "failed" | "error" | "timeout" | "refused" | "waiting" | "not_run";
export type Trend = "better" | "worse" | "same";

export interface Applied {
  readonly runId: string;
  readonly candidate: string;
}

export interface AppliedPlace {
  readonly uri: string;
  readonly line: number;
  readonly endLine: number;
  readonly text: string;
}

export interface BarView {
  readonly low: number;
  readonly high: number;
  readonly middle: number;
  readonly one: number;
  readonly trend: Trend;
  readonly said: string;
}

export interface CallInput {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

export interface Candidate {
  readonly id: string;
  readonly model: string;
  readonly variant: string;
  readonly source: string;
  readonly replacement: Replacement;
  readonly sample: number;
  readonly round: number;
  readonly parent: string;
  readonly digest: string;
  readonly same_as: readonly string[];
  readonly rationale: string;
  readonly receipt: readonly string[];
  readonly prompt: string;
  readonly response: string;
  readonly cost_usd: number | null;
  readonly tokens_in: number;
  readonly tokens_out: number;
  readonly latency_s: number | null;
  readonly cached: boolean;
}

export interface CandidateDiff {
  readonly runId: string;
  readonly candidate: string;
  readonly uri: string;
  readonly diff: string;
  readonly before: string;
  readonly after: string;
  readonly conditions: string;
  readonly rejected: string;
  readonly counterexample: string;
}

export interface Case {
  readonly id: string;
  readonly origin: "benchmark" | "doctest" | "generated" | "given" | "pinned" | "recorded" | "test_case";
  readonly input: CallInput;
  readonly expected: Returned | Raised | Unencodable | TimedOut | Died | null;
  readonly value_only: boolean;
  readonly uncompared: readonly string[];
  readonly label: string;
  readonly weight: number;
  readonly outside: Outside | null;
}

export interface CellView {
  readonly text: string;
  readonly detail: string;
  readonly trend: Trend | null;
  readonly word: string;
  readonly whole: string;
}

export interface Cluster {
  readonly index: number;
  readonly members: readonly string[];
  readonly weight: number;
  readonly differences: readonly DistinguishingInput[];
}

export interface ClusterView {
  readonly index: number;
  readonly name: string;
  readonly answers: number;
  readonly members: readonly string[];
}

export interface ColumnView {
  readonly key: ColumnKey;
  readonly title: string;
  readonly explained: string;
}

export interface Condition {
  readonly kind: "names" | "outside" | "rounding" | "ties" | "types" | "unseen";
  readonly said: string;
  readonly detail: string;
  readonly count: number;
  readonly total: number;
  readonly input: CallInput;
  readonly call: string;
  readonly expected: string;
  readonly got: string;
}

export interface Coverage {
  readonly hit: number;
  readonly total: number;
}

export interface DetailView {
  readonly term: string;
  readonly text: string;
  readonly code: boolean;
}

export interface Died {
  readonly kind: "died";
  readonly reason: "answers" | "exit" | "memory" | "output" | "protocol" | "signal";
  readonly detail: string;
}

export interface DiffSize {
  readonly added: number;
  readonly removed: number;
}

export interface DifferenceView {
  readonly number: number;
  readonly call: string;
  readonly sides: readonly [SideView, SideView];
  readonly must_choose: boolean;
}

export interface DistinguishingInput {
  readonly other: number;
  readonly input: CallInput;
  readonly call: string;
  readonly here: string;
  readonly there: string;
}

export interface EnvironmentEvidence {
  readonly python: string;
  readonly interpreter: string;
  readonly expected: readonly (Returned | Raised | Unencodable | TimedOut | Died | null)[];
  readonly tests: readonly TestReport[];
}

export interface EnvironmentSpeed {
  readonly python: string;
  readonly speed: Interval | null;
  readonly note: string;
}

export interface EnvironmentVerdict {
  readonly python: string;
  readonly status: "conditional" | "error" | "failed" | "passed" | "refused" | "timeout";
  readonly short: string;
  readonly reason: string;
  readonly passed: number;
  readonly total: number;
  readonly tests_passed: number;
  readonly tests_total: number;
}

export interface Evidence {
  readonly mode: Mode;
  readonly cases: readonly Case[];
  readonly tests: readonly TestReport[];
  readonly limits: Limits | null;
  readonly indirect_tests: number;
  readonly coverage: Coverage | null;
  readonly mutation: MutationScore | null;
  readonly excluded: readonly Excluded[];
  readonly variables: readonly string[];
  readonly too_large: readonly string[];
  readonly notes: readonly string[];
  readonly holder: string | null;
  readonly python: string;
  readonly environments: readonly EnvironmentEvidence[];
}

export interface Excluded {
  readonly what: string;
  readonly count: number;
  readonly why: string;
}

export interface Exponent {
  readonly low: number;
  readonly high: number;
}

export interface Failure {
  readonly where: string;
  readonly expected: string;
  readonly got: string;
  readonly traceback: string;
}

export interface FailureView {
  readonly text: string;
  readonly remedy: Remedy;
  readonly is_silent: boolean;
}

export interface FolderArguments {
  readonly uri?: string | null;
}

export interface FunctionView {
  readonly name: string;
  readonly qualname: string;
  readonly path: string;
  readonly line: number;
  readonly file: string;
}

export interface GenerateParams {
  readonly model: string | null;
  readonly messages: readonly Message[];
  readonly temperature: number;
  readonly topP: number | null;
  readonly maxTokens: number;
}

export interface GenerateResult {
  readonly text: string;
  readonly tokensIn?: number;
  readonly tokensOut?: number;
  readonly finishReason?: string;
}

export interface GroupView {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly rows: readonly string[];
}

export interface Growth {
  readonly sizes: readonly number[];
  readonly ratios: readonly number[];
  readonly original: Exponent;
  readonly candidate: Exponent;
  readonly original_memory: Exponent | null;
  readonly candidate_memory: Exponent | null;
  readonly slower_below: number | null;
  readonly faster_below: number | null;
}

export interface Interval {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly original_s: number;
  readonly candidate_s: number;
  readonly inputs: number;
  readonly rounds: number;
  readonly confirmed: boolean;
  readonly note: string;
  readonly parts: readonly PartSpeed[];
}

export interface KnownModel {
  readonly name: string;
  readonly group: "configured" | "local" | "provider";
  readonly detail: string;
  readonly isChosen: boolean;
  readonly lacksKey: boolean;
  readonly setting: Readonly<Record<string, unknown>> | null;
}

export interface KnownModels {
  readonly models: readonly KnownModel[];
  readonly goal: Goal;
}

export interface KnownRun {
  readonly runId: string;
  readonly function: string;
  readonly file: string;
  readonly time: string;
  readonly goal: Goal;
  readonly result: string;
  readonly ended: boolean;
}

export interface KnownRuns {
  readonly runs: readonly KnownRun[];
}

export interface Limits {
  readonly wall_s: number;
  readonly cpu_s: number;
  readonly call_s: number;
  readonly memory_bytes: number;
  readonly processes: number;
  readonly output_bytes: number;
  readonly answer_bytes: number;
  readonly disk_bytes: number;
}

export interface ListArguments {
  readonly limit?: number;
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly load: number | null;
  readonly python: string;
  readonly system: string;
  readonly governor: string;
}

export interface Measurement {
  readonly mismatch: boolean;
  readonly speed: Interval | null;
  readonly growth: Growth | null;
  readonly memory: Memory | null;
  readonly readability: Readability | null;
  readonly diff: DiffSize;
  readonly notes: readonly string[];
  readonly environments: readonly EnvironmentSpeed[];
}

export interface Memory {
  readonly peak_bytes: number;
  readonly ratio: number | null;
  readonly seen_bytes: number | null;
}

export interface Message {
  readonly role: "system" | "user";
  readonly content: string;
}

export interface MissedChange {
  readonly line: number;
  readonly before: string;
  readonly after: string;
}

export interface ModelFailure {
  readonly model: string;
  readonly why: string;
  readonly remedy: Remedy;
  readonly calls: number;
  readonly answers: number;
}

export interface ModuleSource {
  readonly name: string;
  readonly source: string;
  readonly path: string | null;
}

export interface MutationScore {
  readonly noticed: number;
  readonly total: number;
  readonly missed: readonly MissedChange[];
  readonly undecided: number;
}

export interface NoteView {
  readonly kind: "ending" | "evidence" | "excluded" | "failure" | "stopped" | "unsafe";
  readonly text: string;
}

export interface NumbersView {
  readonly speed: number | null;
  readonly memory: number | null;
  readonly readability: number | null;
  readonly lines: number | null;
  readonly cost: number | null;
}

export interface Outside {
  readonly kind: "beyond" | "changing" | "failing" | "malformed" | "raises" | "unseen" | "window";
  readonly said: string;
}

export interface Parameter {
  readonly name: string;
  readonly kind: "keyword" | "normal" | "positional" | "var_keyword" | "var_positional";
  readonly annotation: string | null;
  readonly has_default: boolean;
}

export interface PartSpeed {
  readonly of: string;
  readonly inputs: number;
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

export interface PinArguments {
  readonly runId?: string | null;
  readonly number?: number;
  readonly right?: number | null;
}

export interface PinnedTest {
  readonly runId: string;
  readonly uri: string;
  readonly test: string;
}

export interface PointView {
  readonly id: string;
  readonly x: number;
  readonly y: number;
  readonly place: string;
  readonly label: string;
  readonly best: boolean;
  readonly is_beaten: boolean;
}

export interface ProgressView {
  readonly planned: number;
  readonly generated: number;
  readonly executed: number;
  readonly passed: number;
  readonly conditional: number;
  readonly failures: number;
  readonly done: number;
  readonly total: number;
  readonly doing: string;
  readonly best: string;
  readonly cost_usd: number;
  readonly cost: string;
  readonly text: string;
}

export interface Raised {
  readonly kind: "raised";
  readonly type: string;
  readonly message: string;
  readonly traceback: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly attributes: Readonly<Record<string, unknown>>;
  readonly effects: Readonly<Record<string, unknown>>;
  readonly unseen: readonly string[];
}

export interface RankedResult {
  readonly rank: number | null;
  readonly candidate: Candidate;
  readonly verdict: Verdict;
  readonly judged: boolean;
  readonly measurement: Measurement;
  readonly cost_usd: number | null;
  readonly score: Score | null;
  readonly tied: boolean;
  readonly cluster: number | null;
  readonly agreement: number | null;
  readonly reason: string;
}

export interface Readability {
  readonly cyclomatic: number;
  readonly cognitive: number;
  readonly lines: number;
  readonly findings: number;
  readonly score: number;
}

export interface RefuseArguments {
  readonly runId?: string | null;
  readonly kind: "names" | "outside" | "rounding" | "ties" | "types" | "unseen";
}

export interface RefusedKind {
  readonly runId: string;
  readonly uri: string;
}

export interface Replacement {
  readonly function: string;
  readonly imports: readonly string[];
  readonly helpers: readonly string[];
  readonly module: string | null;
}

export interface RerankArguments {
  readonly runId?: string | null;
  readonly goal?: Goal | null;
  readonly weights?: Weights | null;
}

export interface Reranked {
  readonly uri: string;
  readonly weights: Weights;
  readonly by: "balanced" | "correctness" | "memory" | "readability" | "speed" | "custom";
  readonly view: RunView;
}

export interface RerunArguments {
  readonly runId?: string | null;
  readonly fresh?: boolean;
}

export interface Returned {
  readonly kind: "returned";
  readonly value: unknown;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly effects: Readonly<Record<string, unknown>>;
  readonly unseen: readonly string[];
}

export interface RowArguments {
  readonly runId?: string | null;
  readonly candidate?: string | null;
}

export interface RowView {
  readonly id: string;
  readonly place: string;
  readonly number: number | null;
  readonly label: string;
  readonly model: string;
  readonly variant: string;
  readonly alike: number;
  readonly status: RowStatus;
  readonly best: boolean;
  readonly original: boolean;
  readonly tied: boolean;
  readonly unsafe: boolean;
  readonly can_ask_again: boolean;
  readonly verdict: CellView;
  readonly speed: CellView;
  readonly memory: CellView;
  readonly readability: CellView;
  readonly diff: CellView;
  readonly numbers: NumbersView;
  readonly bar: BarView | null;
  readonly cost: string;
  readonly reason: string;
  readonly counterexample: string;
  readonly has_code: boolean;
  readonly worse: string;
  readonly proven: boolean;
  readonly conditions: readonly ("names" | "outside" | "rounding" | "ties" | "types" | "unseen")[];
  readonly score: Score | null;
  readonly cluster: number | null;
  readonly details: readonly DetailView[];
  readonly spoken: string;
}

export interface RunArguments {
  readonly uri: string;
  readonly function?: string | null;
  readonly line?: number | null;
  readonly goal?: Goal | null;
  readonly effort?: "normal" | "quick" | "thorough" | null;
  readonly mode?: "auto" | "implement" | "improve" | "repair";
  readonly models?: readonly string[];
  readonly variants?: readonly string[];
  readonly samples?: number | null;
  readonly rounds?: number;
  readonly sandbox?: string | null;
  readonly tests?: readonly string[];
  readonly deselect?: readonly string[];
  readonly bench?: readonly string[];
  readonly environments?: readonly string[];
  readonly budgetUsd?: number | null;
  readonly timeoutS?: number | null;
  readonly fresh?: boolean;
}

export interface RunChanged {
  readonly uri: string;
  readonly view: RunView;
  readonly spent: string;
  readonly time: string;
  readonly replaces: string;
}

export interface RunDocument {
  readonly schema_version: number;
  readonly run_id: string;
  readonly target: Target;
  readonly mode: Mode;
  readonly goal: Goal;
  readonly equality: "exact" | "practical" | "strict-types";
  readonly evidence: Evidence;
  readonly original: RankedResult;
  readonly results: readonly RankedResult[];
  readonly clusters: readonly Cluster[];
  readonly best: string;
  readonly headline: string;
  readonly summary: RunSummary;
  readonly machine: Machine | null;
}

export interface RunId {
  readonly runId?: string | null;
}

export interface RunSummary {
  readonly generated: number;
  readonly executed: number;
  readonly passed: number;
  readonly conditional: number;
  readonly cost_usd: number;
  readonly cost_known: boolean;
  readonly wall_s: number;
  readonly stopped: "budget" | "cancelled" | "timeout" | null;
  readonly failures: readonly string[];
  readonly models_asked: number;
  readonly model_failures: readonly ModelFailure[];
  readonly ending: string;
}

export interface RunView {
  readonly run_id: string;
  readonly function: FunctionView;
  readonly status: RunStatus;
  readonly mode: Mode | null;
  readonly goal: Goal;
  readonly stopped: string;
  readonly progress: ProgressView;
  readonly headline: string;
  readonly short: string;
  readonly summary: string;
  readonly evidence: string;
  readonly totals: string;
  readonly sandboxes: readonly string[];
  readonly best: string;
  readonly columns: readonly ColumnView[];
  readonly rows: readonly RowView[];
  readonly groups: readonly GroupView[];
  readonly points: readonly PointView[];
  readonly clusters: readonly ClusterView[];
  readonly differences: readonly DifferenceView[];
  readonly notes: readonly NoteView[];
  readonly failures: readonly FailureView[];
}

export interface Score {
  readonly total: number;
  readonly parts: Readonly<Record<string, number>>;
}

export interface ShownRun {
  readonly uri: string;
  readonly run: RunDocument;
  readonly view: RunView;
  readonly report: string;
}

export interface SideView {
  readonly group: number;
  readonly name: string;
  readonly result: string;
}

export interface SlowArguments {
  readonly uri: string;
  readonly firstLine?: number | null;
  readonly lastLine?: number | null;
  readonly command?: string | null;
}

export interface SlowPlace {
  readonly uri: string;
  readonly function: string;
  readonly line: number;
  readonly text: string;
}

export interface SlowPlaces {
  readonly program: string;
  readonly ended: string;
  readonly functions: readonly SlowPlace[];
}

export interface Started {
  readonly runId: string;
  readonly headline: string | null;
  readonly best: string | null;
}

export interface Target {
  readonly path: string;
  readonly root: string;
  readonly import_root: string;
  readonly module: string;
  readonly qualname: string;
  readonly kind: "classmethod" | "function" | "method" | "nested" | "property" | "staticmethod";
  readonly is_async: boolean;
  readonly is_generator: boolean;
  readonly line: number;
  readonly end_line: number;
  readonly source: string;
  readonly body_missing: boolean;
  readonly docstring: string | null;
  readonly parameters: readonly Parameter[];
  readonly returns: string | null;
  readonly file_sha256: string;
  readonly modules: readonly ModuleSource[];
}

export interface TestReport {
  readonly id: string;
  readonly outcome: "error" | "failed" | "passed" | "skipped";
  readonly message: string;
  readonly entered: number;
  readonly seconds: number;
}

export interface TimedOut {
  readonly kind: "timeout";
  readonly limit: "call" | "cpu" | "wall";
  readonly seconds: number;
}

export interface Unencodable {
  readonly kind: "unencodable";
  readonly type: string;
  readonly where: string;
}

export interface Verdict {
  readonly status: "conditional" | "error" | "failed" | "passed" | "refused" | "timeout";
  readonly passed: number;
  readonly total: number;
  readonly tests_passed: number;
  readonly tests_total: number;
  readonly evidence: "agreement" | "differential" | "none" | "tests";
  readonly isolation: "none" | "separate" | "shared";
  readonly sandbox: string;
  readonly reason: string;
  readonly failure: Failure | null;
  readonly compared: readonly string[];
  readonly uncompared: readonly string[];
  readonly conditions: readonly Condition[];
  readonly set_aside: readonly string[];
  readonly searched: number;
  readonly unreached: readonly string[];
  readonly environments: readonly EnvironmentVerdict[];
}

export interface Weights {
  readonly correctness: number;
  readonly quality: number;
  readonly speed: number;
  readonly efficiency: number;
}
