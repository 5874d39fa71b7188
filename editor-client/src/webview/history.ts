// The runs that are not shown, to be shown.

import type { RunView } from "../protocol";
import { h } from "./dom";
import { send } from "./host";

export function history(others: readonly RunView[]): HTMLElement {
  const items = others.map((run) =>
    h(
      "li",
      {},
      h(
        "button",
        {
          type: "button",
          className: "earlier",
          "data-key": `run ${run.run_id}`,
          onClick: () => send({ kind: "show", run: run.run_id }),
        },
        h("span", { className: "function" }, run.function.name),
        h(
          "span",
          { className: "detail" },
          `${run.function.file} · ${run.status === "running" ? "running" : run.headline}`,
        ),
      ),
    ),
  );
  return h("section", { className: "history" }, h("h3", {}, "Other runs"), h("ul", {}, ...items));
}
