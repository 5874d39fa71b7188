// Candidates between speed and memory: which are beaten in both, and which are a choice.

import type { PointView, RunView } from "../protocol";
import { h, s } from "./dom";
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
    ...run.points.map((point, at) => dot(point, run, at)),
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

function dot(point: PointView, run: RunView, at: number): SVGElement {
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
    s("text", { ...beside(point), y: down(point) + 1.2 + 3.2 * (at % 2) }, point.place),
  );
}

/** To the right of its dot, or to the left where the picture ends. */
function beside(point: PointView): { readonly x: number; readonly "text-anchor": string } {
  const isLast = point.x > 85;
  return { x: point.x + (isLast ? -2.4 : 2.4), "text-anchor": isLast ? "end" : "start" };
}

function down(point: PointView): number {
  return (60 * (100 - point.y)) / 100;
}
