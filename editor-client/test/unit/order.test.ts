import assert from "node:assert/strict";
import { test } from "node:test";
import type { PointView, RowView } from "../../src/protocol";
import { heaps } from "../../src/webview/heaps";
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

test("dots that lie on one another share a label", () => {
  const point = (place: string, x: number, y: number) => ({ place, x, y }) as PointView;
  const places = heaps([point("0", 20, 50), point("1", 21, 51), point("2=", 80, 90), point("3=", 80, 90)]);
  assert.deepEqual(
    places.map((heap) => heap.map((each) => each.place).join(" ")),
    ["0 1", "2= 3="],
  );
});
