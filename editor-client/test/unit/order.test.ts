import assert from "node:assert/strict";
import { test } from "node:test";
import type { RowView } from "../../src/protocol";
import { isSortable, sorted } from "../../src/webview/order";

function row(id: string, speed: number | null, memory: number | null): RowView {
  return { id, label: id, numbers: { speed, memory, readability: null, lines: null, cost: null } } as RowView;
}

const ROWS = [row("b", 1.5, 2), row("a", 3, 4), row("c", null, 1)];
const ids = (rows: readonly RowView[]) => rows.map((each) => each.id).join("");

test("a heading puts the best first, and what is not known last whichever way round", () => {
  assert.equal(ids(sorted(ROWS, "speed", false)), "abc");
  assert.equal(ids(sorted(ROWS, "speed", true)), "bac");
  assert.equal(ids(sorted(ROWS, "memory", false)), "cba");
  assert.equal(ids(sorted(ROWS, "candidate", false)), "abc");
});

test("the place is what the ranking says, and nothing to sort by", () => {
  assert.ok(!isSortable("place"));
  assert.ok(isSortable("speed"));
});
