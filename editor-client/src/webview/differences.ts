// The behaviour map: the smallest inputs on which groups of candidates differ, and what each returns.

import type { ViewDifference, ViewRun } from "../view/state";
import { h } from "./dom";
import { send } from "./host";

export function differences(run: ViewRun): HTMLElement | undefined {
  if (run.differences.length === 0) {
    return undefined;
  }
  const list = h("ul", { className: "differences" }, ...run.differences.map((each) => difference(run, each)));
  return h("section", { className: "map" }, h("h3", {}, "Where candidates differ"), list);
}

function difference(run: ViewRun, each: ViewDifference): HTMLElement {
  const sides = h("dl", {});
  for (const side of each.sides) {
    const answer = h("dd", {}, h("code", {}, side.result));
    if (each.mustChoose) {
      answer.append(keep(run, each, "Keep as test", side.group, `${side.name} is right; keep it as a test`));
    }
    sides.append(h("dt", {}, side.name), answer);
  }
  const question = each.mustChoose && h("p", { className: "question" }, "Which is right?");
  const item = h("li", {}, h("code", { className: "call" }, each.call), question, sides);
  if (!each.mustChoose) {
    item.append(
      keep(run, each, "Keep as test", undefined, `Keep ${each.call} as a test of what the original does`),
    );
  }
  return item;
}

function keep(
  run: ViewRun,
  each: ViewDifference,
  text: string,
  right: number | undefined,
  label: string,
): HTMLElement {
  const chosen = right === undefined ? {} : { right };
  return h(
    "button",
    {
      type: "button",
      className: "link",
      "aria-label": label,
      "data-key": `keep ${each.number} ${right ?? ""}`,
      disabled: run.status === "running",
      onClick: () => send({ kind: "keep", run: run.id, number: each.number, ...chosen }),
    },
    text,
  );
}
