import assert from "node:assert/strict";
import { test } from "node:test";
import type { Run } from "../../src/protocol";
import { after, begun, type RunState } from "../../src/runs/run";
import { viewRun } from "../../src/view/model";
import { candidate, original, params, row, run, STARTED, verdict } from "./facts";

function shown(of: Run) {
  const state = begun(params(STARTED)) as RunState;
  return viewRun(after(state, { event: "run_finished", run: of }));
}

const REJECTED = row("c", {
  rank: null,
  cluster: 1,
  verdict: verdict({
    status: "failed",
    reason: "differs on f([])",
    failure: { where: "f([])", expected: "[]", got: "None", traceback: "" },
  }),
  reason: "differs on f([])",
});

test("rows stand in groups of the same behaviour, and what was rejected stands last", () => {
  const other = row("b", { rank: 2, cluster: 2 });
  const view = shown(run([row("a"), other, REJECTED]));
  assert.deepEqual(
    view.groups.map((group) => [group.title, group.rows.map((each) => each.id)]),
    [
      ["Behaves as the original", ["original", "a"]],
      ["Group 2", ["b"]],
      ["Rejected", ["c"]],
    ],
  );
});

test("what nobody ran is not called wrong", () => {
  const notRun = row("d", {
    rank: null,
    verdict: verdict({ status: "error" }),
    reason: "not run: the run was stopped",
  });
  const view = shown(run([notRun]));
  assert.equal(view.groups.at(-1)?.title, "Not run");
  assert.equal(view.groups.at(-1)?.rows[0]?.status, "broken");
});

test("an original that fails its tests is shown, though it has no rank", () => {
  const failing = original({ rank: null, verdict: verdict({ status: "failed" }) });
  const view = shown(run([row("a", { cluster: null })], { original: failing, mode: "repair" }));
  assert.deepEqual(
    view.groups.map((group) => group.title),
    ["Behaviour not compared", "The original"],
  );
});

test("a row says its numbers, and whether they are better", () => {
  const best = shown(run([row("a")])).groups[0]?.rows[1];
  assert.ok(best);
  assert.equal(best.place, "1");
  assert.deepEqual(best.speed, { text: "2.1×", detail: "[1.9, 2.3]", trend: "better" });
  assert.deepEqual(best.memory, { text: "−12 %", trend: "better" });
  assert.deepEqual(best.readable, { text: "70", trend: "better" });
  assert.equal(best.lines.text, "+3 −7");
  assert.equal(best.verdict.detail, "4/4 tests, 20 inputs equal");
  assert.ok(best.isBest && best.canApply && best.canAskAgain);
});

test("a speed-up that may be none is not called better", () => {
  const speed = { ratio: 9.4, low: 1, high: 12.1, note: "" };
  const doubtful = shown(run([row("a", { speed })])).groups[0]?.rows[1];
  assert.equal(doubtful?.speed.trend, "same");
});

test("a screen reader hears a row as one sentence", () => {
  const spoken = shown(run([row("a", { tied: true })])).groups[0]?.rows[1]?.spoken;
  assert.equal(
    spoken,
    "rank 1, tied; gpt-x · baseline; best; passed 4/4 tests, 20 inputs equal; speed 2.1× [1.9, 2.3]; memory −12 %; readability 70; lines +3 −7",
  );
});

test("why a row was rejected is told with the input that shows it", () => {
  const why = shown(run([REJECTED])).groups.at(-1)?.rows[0]?.why ?? [];
  assert.deepEqual(
    why.filter((each) => each.isCode).map((each) => [each.term, each.text]),
    [
      ["On", "f([])"],
      ["Expected", "[]"],
      ["Got", "None"],
    ],
  );
});

test("what rests on votes, or ran without isolation, says so", () => {
  const voted = verdict({ evidence: "agreement", sandbox: "unsafe: NOT ISOLATED" });
  const cell = shown(run([row("a", { verdict: voted })])).groups[0]?.rows[1]?.verdict;
  assert.match(cell?.detail ?? "", /not verified, NOT ISOLATED/);
});

test("an offline rewrite is called by its rewrite, and is not asked again", () => {
  const rewrite = candidate("offline-ruff-RET", { model: "offline", variant: "baseline" });
  const shownRow = shown(run([row("offline-ruff-RET", { candidate: rewrite })])).groups[0]?.rows[1];
  assert.equal(shownRow?.name, "offline · ruff-RET");
  assert.equal(shownRow?.canAskAgain, false);
});

test("a pair of groups is told once, numbered as the server numbers it, with both answers", () => {
  const there = { call: "f([])", here: "[]", there: "None" };
  const clusters = [
    { index: 0, members: ["original"], weight: 1, differences: [{ ...there, other: 1 }] },
    {
      index: 1,
      members: ["c"],
      weight: 1,
      differences: [{ call: "f([])", here: "None", there: "[]", other: 0 }],
    },
  ];
  const view = shown(run([REJECTED], { clusters }));
  assert.deepEqual(view.differences, [
    {
      number: 1,
      call: "f([])",
      sides: [
        { group: 0, name: "original", result: "[]" },
        { group: 1, name: "gpt-x · baseline", result: "None" },
      ],
      mustChoose: false,
    },
  ]);
  assert.equal(shown(run([REJECTED], { clusters, mode: "repair" })).differences[0]?.mustChoose, true);
});

test("a run under way shows what is there so far", () => {
  const made = after(begun(params(STARTED)) as RunState, {
    event: "candidate_generated",
    candidate: candidate("a"),
    duplicate_of: null,
  });
  const view = viewRun(made);
  assert.equal(view.status, "running");
  assert.deepEqual(view.groups[0]?.rows[0]?.verdict, { text: "waiting" });
});
