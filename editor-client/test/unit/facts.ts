// Runs for tests, as the server tells them.

import type { Candidate, EventParams, RankedResult, Run, RunEvent, Verdict } from "../../src/protocol";

export function candidate(id: string, more: Partial<Candidate> = {}): Candidate {
  return {
    id,
    model: "gpt-x",
    variant: "baseline",
    source: `# ${id}`,
    same_as: [],
    rationale: "",
    cost_usd: 0.002,
    ...more,
  };
}

export function verdict(more: Partial<Verdict> = {}): Verdict {
  return {
    status: "passed",
    passed: 24,
    total: 24,
    tests_passed: 4,
    tests_total: 4,
    evidence: "tests",
    isolation: "separate",
    sandbox: "local: bubblewrap",
    reason: "",
    failure: null,
    ...more,
  };
}

export function row(id: string, more: Partial<RankedResult> = {}): RankedResult {
  return {
    rank: 1,
    candidate: candidate(id),
    verdict: verdict(),
    speed: { ratio: 2.13, low: 1.93, high: 2.31, note: "" },
    memory: { peak_bytes: 2048, ratio: 0.88 },
    readability: { score: 70 },
    diff: { added: 3, removed: 7 },
    cost_usd: 0.002,
    tied: false,
    cluster: 0,
    reason: "2.1× faster",
    ...more,
  };
}

export function original(more: Partial<RankedResult> = {}): RankedResult {
  return row("original", {
    rank: 0,
    candidate: candidate("original", { model: "original", variant: "", cost_usd: null }),
    speed: null,
    memory: { peak_bytes: 2048, ratio: null },
    readability: { score: 63 },
    diff: { added: 0, removed: 0 },
    ...more,
  });
}

export function run(results: readonly RankedResult[], more: Partial<Run> = {}): Run {
  return {
    run_id: "r1",
    target: { path: "/w/a.py", qualname: "f" },
    mode: "improve",
    goal: "balanced",
    evidence: { mode: "improve", cases: [1, 2, 3], tests: [1], coverage: { hit: 3, total: 4 }, notes: [] },
    original: original(),
    results,
    clusters: [{ index: 0, members: ["original", "a"], weight: 1, differences: [] }],
    best: "a",
    headline: "a is best",
    summary: {
      generated: 1,
      executed: 1,
      passed: 1,
      cost_usd: 0.002,
      cost_known: true,
      wall_s: 41.2,
      stopped: "",
      failures: [],
    },
    ...more,
  };
}

export function params(event: RunEvent): EventParams {
  return { runId: "r1", uri: "file:///w/a.py", event };
}

export const STARTED: RunEvent = {
  event: "run_started",
  run_id: "r1",
  request: { goal: "balanced" },
  target: { path: "/w/a.py", qualname: "f" },
};
