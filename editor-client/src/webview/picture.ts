// Candidates between speed and memory: which are beaten in both, and which are a choice.

import type { PointView, RunView } from "../protocol";
import { h, s } from "./dom";
import { down, heaps } from "./heaps";
import { isToggled, send, toggle } from "./host";

const KEY = "picture";
const RADIUS = 1.6;

export function picture(run: RunView): HTMLElement | undefined {
  if (run.points.length < 2) {
    return undefined;
  }
  const list = run.points.filter((point) => !point.is_beaten).map((point) => point.label);
  const drawing = s(
    "svg",
    {
      className: "points",
      viewBox: "0 0 100 60",
      role: "img",
      "aria-label": `Not beaten: ${list.join(", ")}`,
    },
    front(run.points),
    ...run.points.map((point) => dot(point, run)),
    ...heaps(run.points).map(label),
  );
  const element = h(
    "details",
    { className: "picture", open: !isToggled(KEY) },
    h("summary", {}, "Speed and memory"),
    h("figure", {}, drawing, h("figcaption", {}, "→ faster, ↓ less memory; ● not beaten in both, ○ beaten")),
  );
  element.addEventListener("toggle", () => {
    if (element.open === isToggled(KEY)) {
      toggle(KEY);
    }
  });
  return element;
}

function front(points: readonly PointView[]): SVGElement {
  const best = points.filter((point) => !point.is_beaten).sort((left, right) => left.x - right.x);
  return s("polyline", {
    className: "front",
    points: best.map((point) => `${point.x},${down(point)}`).join(" "),
  });
}

function dot(point: PointView, run: RunView): SVGElement {
  const name = [point.is_beaten ? "beaten" : "free", point.best ? "best" : ""].join(" ");
  return s(
    "g",
    {
      className: name,
      onClick: () =>
        point.id !== "original" &&
        send({ kind: "row", action: "diff", run: run.run_id, candidate: point.id }),
    },
    s("title", {}, `${point.place}: ${point.label}`),
    s("circle", { cx: point.x, cy: down(point), r: RADIUS }),
  );
}

/** To the right of its dots, or to the left where the picture ends. */
function label(heap: readonly [PointView, ...PointView[]]): SVGElement {
  const [first] = heap;
  const across = heap.map((each) => each.x);
  const isLast = first.x > 85;
  const place = { x: isLast ? Math.min(...across) - 2.4 : Math.max(...across) + 2.4, y: down(first) + 1.2 };
  const anchor = { "text-anchor": isLast ? "end" : "start" };
  return s("text", { ...place, ...anchor }, heap.map((each) => each.place).join(" "));
}
