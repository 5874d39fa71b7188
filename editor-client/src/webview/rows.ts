// One candidate: its row, what can be done with it, and why it stands where it stands.

import type { Cell, RowAction, ViewRow } from "../view/state";
import { h } from "./dom";
import { isToggled, send } from "./host";

const SIGNS: Record<ViewRow["status"], string> = {
  passed: "✓",
  failed: "✗",
  error: "✗",
  timeout: "✗",
  refused: "✗",
  broken: "!",
  waiting: "…",
};

export interface Shown {
  readonly run: string;
  readonly redraw: (key: string) => void;
}

export function whyKey(run: string, row: ViewRow): string {
  return `why ${run} ${row.id}`;
}

export function rowElements(row: ViewRow, shown: Shown): HTMLElement[] {
  const isOpen = isToggled(whyKey(shown.run, row));
  const classes = [
    "row",
    "candidate",
    row.status,
    row.isBest ? "best" : "",
    row.isOriginal ? "original" : "",
  ];
  const element = h(
    "div",
    {
      role: "row",
      "aria-level": 2,
      "aria-label": row.spoken,
      "aria-keyshortcuts": row.canApply ? "Enter A C W" : "W",
      className: classes.join(" "),
      tabindex: -1,
      "data-key": `row ${row.id}`,
      onClick: () => row.canApply && send({ kind: "row", action: "diff", run: shown.run, candidate: row.id }),
    },
    h("span", { role: "gridcell", className: "place" }, row.place),
    nameCell(row),
    h(
      "span",
      { role: "gridcell", className: "verdict" },
      h("span", { className: "sign", "aria-hidden": "true" }, SIGNS[row.status]),
      h("span", { className: "said", title: row.verdict.detail }, verdictText(row)),
    ),
    h(
      "span",
      { role: "none", className: "metrics" },
      metric("speed", "speed", row.speed),
      metric("memory", "memory", row.memory),
      metric("readable", "reads", row.readable),
      metric("lines", "lines", row.lines),
    ),
    actions(row, shown, isOpen),
  );
  return isOpen ? [element, whyElement(row)] : [element];
}

function verdictText(row: ViewRow): string {
  return row.status === "passed"
    ? (row.verdict.detail ?? "")
    : [row.verdict.text, row.verdict.detail].filter(Boolean).join(": ");
}

function nameCell(row: ViewRow): HTMLElement {
  const [first = "", ...rest] = row.name.split(" · ");
  const detail = rest.join(" · ");
  return h(
    "span",
    { role: "rowheader", className: "name", title: row.name },
    h("span", { className: "variant" }, detail || first),
    detail !== "" && " ",
    detail !== "" && h("span", { className: "model" }, first),
    row.isBest && h("span", { className: "badge" }, row.isOriginal ? "keep" : "best"),
  );
}

function metric(name: string, title: string, cell: Cell): HTMLElement {
  return h(
    "span",
    { role: "gridcell", className: `metric ${name} ${cell.trend ?? ""} ${cell.text ? "" : "empty"}` },
    h("span", { className: "title", "aria-hidden": "true" }, title),
    h("span", { className: "value" }, cell.text),
    cell.detail !== undefined && h("span", { className: "range" }, cell.detail),
  );
}

function actions(row: ViewRow, shown: Shown, isOpen: boolean): HTMLElement {
  const act = (action: RowAction) => send({ kind: "row", action, run: shown.run, candidate: row.id });
  const cell = h("span", { role: "gridcell", className: "actions" });
  if (row.canApply) {
    cell.append(
      button("Apply", `Apply ${row.name}`, () => act("apply")),
      button("Diff", `Compare ${row.name} with the original`, () => act("diff")),
    );
  }
  if (!row.isOriginal && row.status !== "waiting") {
    cell.append(button("Copy", `Copy the code of ${row.name}`, () => act("copy")));
  }
  if (row.why.length > 0) {
    const why = button("Why", `Why ${row.name} stands here`, () => shown.redraw(whyKey(shown.run, row)));
    why.setAttribute("aria-expanded", String(isOpen));
    cell.append(why);
  }
  if (row.canAskAgain) {
    cell.append(button("Ask again", `Ask ${row.name} again`, () => act("askAgain")));
  }
  return cell;
}

function button(text: string, label: string, onClick: () => void): HTMLButtonElement {
  const press = (event: Event) => {
    event.stopPropagation();
    onClick();
  };
  return h(
    "button",
    { type: "button", className: "link", "aria-label": label, tabindex: -1, onClick: press },
    text,
  );
}

function whyElement(row: ViewRow): HTMLElement {
  const list = h("dl", {});
  for (const each of row.why) {
    const text = each.isCode ? h("code", {}, each.text) : each.text;
    list.append(h("dt", {}, each.term), h("dd", {}, text));
  }
  const cell = h("div", { role: "gridcell", className: "reasons" }, list);
  return h("div", { role: "row", "aria-level": 2, className: "row why" }, cell);
}
