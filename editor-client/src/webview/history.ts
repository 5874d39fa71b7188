// The runs that are not shown, to be shown.

import type { ViewRun } from "../view/state";
import { h } from "./dom";
import { send } from "./host";

export function history(others: readonly ViewRun[]): HTMLElement {
  const items = others.map((run) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          className: "earlier",
          "data-key": `run ${run.id}`,
          onClick: () => send({ kind: "show", run: run.id }),
        },
        h("span", { className: "function" }, run.title),
        h(
          "span",
          { className: "detail" },
          `${run.file} · ${run.status === "running" ? "running" : run.headline}`,
        ),
      ),
    ),
  );
  return h("section", { className: "history" }, h("h3", {}, "Other runs"), h("ul", {}, ...items));
}
