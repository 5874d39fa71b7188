// The behaviour map: the smallest inputs on which groups of candidates differ, and what each returns.

import type { DifferenceView, RunView } from "../protocol";
import { h } from "./dom";
import { send } from "./host";

export function differences(run: RunView): HTMLElement | undefined {
  if (run.differences.length === 0) {
    return undefined;
  }
  const list = h("ul", { className: "differences" }, ...run.differences.map((each) => difference(run, each)));
  return h("section", { className: "map" }, h("h3", {}, "Where candidates differ"), list);
}

function difference(run: RunView, each: DifferenceView): HTMLElement {
  const sides = h("dl", {});
  for (const side of each.sides) {
    const answer = h("dd", {}, h("code", {}, side.result));
    if (each.must_choose) {
      answer.append(pin(run, each, side.group, `${side.name} is right; keep it as a test`));
    }
    sides.append(h("dt", {}, side.name), answer);
  }
  const question = each.must_choose && h("p", { className: "question" }, "Which is right?");
  const item = h("li", {}, h("code", { className: "call" }, each.call), question, sides);
  if (!each.must_choose) {
    item.append(pin(run, each, undefined, `Keep ${each.call} as a test of what the original does`));
  }
  return item;
}

function pin(run: RunView, each: DifferenceView, right: number | undefined, label: string): HTMLElement {
  const chosen = right === undefined ? {} : { right };
  return h(
    "button",
    {
      type: "button",
      className: "link",
      "aria-label": label,
      "data-key": `pin ${each.number} ${right ?? ""}`,
      disabled: run.status === "running",
      onClick: () => send({ kind: "pin", run: run.run_id, number: each.number, ...chosen }),
    },
    "Keep as test",
  );
}
