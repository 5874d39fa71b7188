// Runs for tests, as the server shows them.

import type { RunChanged, RunView } from "../../src/protocol";

export function view(more: Partial<RunView> = {}): RunView {
  return {
    run_id: "r1",
    function: { name: "f", qualname: "f", path: "/w/a.py", line: 1, file: "a.py" },
    status: "running",
    mode: null,
    goal: "balanced",
    stopped: "",
    progress: {
      planned: 2,
      generated: 1,
      executed: 0,
      passed: 0,
      conditional: 0,
      failures: 0,
      done: 1,
      total: 4,
      doing: "starting",
      best: "nothing yet",
      cost_usd: 0.002,
      cost: "$0.0020",
      text: "1/2 generated",
    },
    headline: "starting",
    short: "starting",
    summary: "1/2 generated",
    evidence: "",
    totals: "",
    sandboxes: [],
    best: "original",
    columns: [],
    rows: [],
    points: [],
    groups: [],
    clusters: [],
    differences: [],
    notes: [],
    failures: [],
    ...more,
  };
}

export function news(more: Partial<RunView> = {}): RunChanged {
  return { uri: "file:///w/a.py", view: view(more), spent: "$0.0020", time: "0:01", replaces: "" };
}
