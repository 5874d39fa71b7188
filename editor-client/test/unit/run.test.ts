import assert from "node:assert/strict";
import { test } from "node:test";
import { ended, taken } from "../../src/runs/run";
import { news } from "./facts";

const WEIGHTS = { correctness: 1, quality: 1, speed: 1, efficiency: 1 };

test("a run is what the server shows of it last", () => {
  const first = taken(undefined, news());
  assert.equal(first.view.status, "running");
  const done = taken(first, news({ status: "finished", headline: "a is best" }));
  assert.equal(done.view.headline, "a is best");
  assert.equal(done.uri, "file:///w/a.py");
});

test("weights are kept with a result, and forgotten when its run is followed once more", () => {
  const ranked = {
    ...taken(undefined, news({ status: "finished" })),
    weights: WEIGHTS,
    by: "custom" as const,
  };
  assert.equal(taken(ranked, news({ status: "finished" })).weights, WEIGHTS);
  assert.equal(taken(ranked, news({ status: "running" })).weights, undefined);
});

test("a run whose server is gone has failed, with the reason, and keeps its candidates", () => {
  const running = taken(undefined, news());
  const lost = ended(running, "the server ended while it ran");
  assert.equal(lost.view.status, "failed");
  assert.equal(lost.view.headline, "the server ended while it ran");
  assert.equal(lost.view.rows, running.view.rows);
});
