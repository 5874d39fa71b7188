// Which dots of the picture lie on one another, so that they share a label. Pure.

import type { PointView } from "../protocol";

/** How far the middles of two dots are apart at most, in parts of the picture's width, where they cannot be told apart. */
const CLOSE = 3;

/** Points in heaps, each about its first one, in the order of the ranking. */
export function heaps(points: readonly PointView[]): readonly (readonly [PointView, ...PointView[]])[] {
  const found: [PointView, ...PointView[]][] = [];
  for (const point of points) {
    const heap = found.find(([first]) => distance(first, point) < CLOSE);
    if (heap) {
      heap.push(point);
    } else {
      found.push([point]);
    }
  }
  return found;
}

export function down(point: PointView): number {
  return (60 * (100 - point.y)) / 100;
}

function distance(one: PointView, other: PointView): number {
  return Math.hypot(one.x - other.x, down(one) - down(other));
}
