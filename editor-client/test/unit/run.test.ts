import assert from "node:assert/strict";
import { test } from "node:test";
import type { RunEvent } from "../../src/protocol";
import { inOrder } from "../../src/runs/ranking";
import { after, begun, ended, executed, passed, type RunState, recalled } from "../../src/runs/run";
import { viewRun } from "../../src/view/model";
import { candidate, params, row, run, STARTED, verdict } from "./facts";

function told(...events: RunEvent[]): RunState {
  const state = begun(params(STARTED));
  assert.ok(state);
  return events.reduce(after, state);
}

const MADE: RunEvent = { event: "candidate_generated", candidate: candidate("a"), duplicate_of: null };

test("a run begins with its first event, and with no other", () => {
  assert.equal(begun(params({ event: "progress", message: "late" })), undefined);
  assert.equal(told().status, "running");
});

test("candidates are counted, and identical ones shown once", () => {
  const state = told({ event: "candidates_planned", count: 2 }, MADE, {
    event: "candidate_generated",
    candidate: candidate("b"),
    duplicate_of: "a",
  });
  assert.equal(state.planned, 2);
  assert.equal(state.generated, 2);
  assert.deepEqual([...state.live.keys()], ["a"]);
});

test("what is spent is added up, also on replies that cannot be used", () => {
  const state = told(MADE, { event: "generation_failed", model: "m", cost_usd: 0.01 });
  assert.ok(Math.abs(state.costUsd - 0.012) < 1e-9);
});

test("the original's own verdict is not counted as a candidate's", () => {
  const state = told(MADE, { event: "candidate_judged", candidate_id: "original", verdict: verdict() });
  assert.equal(executed(state), 0);
  const judged = after(state, {
    event: "candidate_judged",
    candidate_id: "a",
    verdict: verdict({ status: "failed" }),
  });
  assert.equal(executed(judged), 1);
  assert.equal(passed(judged), 0);
});

test("a run that is followed once more keeps its document until there is a new one", () => {
  const done = told(MADE, { event: "run_finished", run: run([row("a")]) });
  assert.equal(done.status, "done");
  const again = after(done, STARTED);
  assert.equal(again.status, "running");
  assert.equal(again.run, done.run);
});

test("a run that ends without a document has failed, with the reason", () => {
  assert.equal(ended(told(), "no sandbox").failure, "no sandbox");
  assert.equal(ended(told(), undefined).status, "failed");
  assert.equal(ended(told({ event: "run_finished", run: run([]) }), undefined).status, "done");
});

test("another order moves rows and ranks, and nothing of what was measured", () => {
  const before = run([row("a"), row("b", { rank: 2 })]);
  const place = { rank: 1, tied: false };
  const again = inOrder(before, {
    runId: "r1",
    goal: "memory",
    weights: { correctness: 1, quality: 1, speed: 1, efficiency: 1 },
    best: "b",
    headline: "b is best",
    original: { candidate: "original", ...place, rank: 0 },
    results: [
      { candidate: "b", ...place },
      { candidate: "a", rank: 1, tied: true },
    ],
  });
  assert.deepEqual(
    again.results.map((each) => [each.candidate.id, each.rank, each.tied]),
    [
      ["b", 1, false],
      ["a", 1, true],
    ],
  );
  assert.equal(again.results[1]?.speed, before.results[0]?.speed);
  assert.equal(again.best, "b");
});

test("a run that was made elsewhere is shown as done, and costs this window nothing", () => {
  const state = recalled({ uri: "file:///w/a.py", run: run([row("a")]) });
  assert.equal(state.status, "done");
  assert.equal(state.qualname, "f");
  assert.equal(state.costUsd, 0);
  assert.equal(viewRun(state).groups[0]?.rows.length, 2);
});
