// One candidate: its row, what can be done with it, and why it stands where it stands.

import type { BarView, CellView, ColumnKey, ColumnView, RowStatus, RowView, Trend } from "../protocol";
import type { RowAction } from "../view/state";
import { h } from "./dom";
import { isToggled, send } from "./host";

const SIGNS: Record<RowStatus, string> = {
  passed: "✓",
  conditional: "≈",
  failed: "✗",
  error: "✗",
  timeout: "✗",
  refused: "✗",
  not_run: "!",
  waiting: "…",
};

/** Nothing is told by its colour alone. */
const TRENDS: Readonly<Record<Trend, string | undefined>> = { better: "▲", worse: "▼", same: undefined };

export interface Shown {
  readonly run: string;
  readonly columns: readonly ColumnView[];
  readonly redraw: (key: string) => void;
}

export function whyKey(run: string, row: RowView): string {
  return `why ${run} ${row.id}`;
}

export function rowElements(row: RowView, shown: Shown): HTMLElement[] {
  const isOpen = isToggled(whyKey(shown.run, row));
  const classes = ["row", "candidate", row.status, row.best ? "best" : "", row.original ? "original" : ""];
  const element = h(
    "div",
    {
      role: "row",
      "aria-level": 2,
      "aria-label": row.spoken,
      "aria-keyshortcuts": canApply(row) ? "Enter A C W" : row.has_code ? "Enter C W" : "W",
      className: classes.join(" "),
      tabindex: -1,
      "data-key": `row ${row.id}`,
      onClick: () => row.has_code && send({ kind: "row", action: "diff", run: shown.run, candidate: row.id }),
    },
    h("span", { role: "gridcell", className: "place" }, row.place),
    nameCell(row),
    h(
      "span",
      { role: "gridcell", className: "verdict" },
      h("span", { className: "sign", "aria-hidden": "true" }, SIGNS[row.status]),
      h("span", { className: "said", title: row.verdict.detail }, verdictText(row)),
      row.counterexample !== "" && h("code", { className: "counterexample" }, row.counterexample),
    ),
    h(
      "span",
      { role: "none", className: "metrics" },
      metric("speed", shown, row.speed, row.bar),
      metric("memory", shown, row.memory),
      metric("readability", shown, row.readability),
      metric("lines", shown, row.diff),
    ),
    actions(row, shown, isOpen),
  );
  return isOpen ? [element, whyElement(row, shown)] : [element];
}

/** The mark beside it says that it passed. */
function verdictText({ status, verdict }: RowView): string {
  return status === "passed" ? verdict.detail : [verdict.text, verdict.detail].filter(Boolean).join(": ");
}

export function canApply(row: RowView): boolean {
  return row.number !== null;
}

function nameCell(row: RowView): HTMLElement {
  const [first = "", ...rest] = row.label.split(" · ");
  const detail = rest.join(" · ");
  return h(
    "span",
    { role: "rowheader", className: "name", title: row.label },
    h("span", { className: "variant" }, detail || first),
    detail !== "" && " ",
    detail !== "" && h("span", { className: "model" }, first),
    row.best && h("span", { className: "badge" }, row.original ? "keep" : "best"),
  );
}

/** A number, what it means in a sign and a word, and its interval as a bar. */
function metric(name: ColumnKey, shown: Shown, cell: CellView, bar: BarView | null = null): HTMLElement {
  const column = shown.columns.find((each) => each.key === name);
  const trend = cell.trend ? TRENDS[cell.trend] : undefined;
  return h(
    "span",
    {
      role: "gridcell",
      className: `metric ${name} ${cell.trend ?? ""} ${cell.text ? "" : "empty"}`,
      title: [cell.whole, column?.explained].filter(Boolean).join(". "),
    },
    h("span", { className: "title", "aria-hidden": "true" }, column?.title.toLowerCase()),
    h("span", { className: "value" }, trend, trend && " ", cell.text),
    " ",
    cell.word !== "" && h("span", { className: "word" }, cell.word),
    " ",
    cell.detail !== "" && h("span", { className: "range" }, cell.detail),
    bar !== null && interval(bar),
  );
}

/** All rows are drawn to one scale; the line is the original. */
function interval(bar: BarView): HTMLElement {
  const span = h("span", { className: "span" });
  span.style.left = `${bar.low}%`;
  span.style.width = `${bar.high - bar.low}%`;
  const middle = h("span", { className: "middle" });
  middle.style.left = `${bar.middle}%`;
  const one = h("span", { className: "one" });
  one.style.left = `${bar.one}%`;
  return h("span", { className: `bar ${bar.trend}`, role: "img", "aria-label": bar.said }, one, span, middle);
}

function actions(row: RowView, shown: Shown, isOpen: boolean): HTMLElement {
  const act = (action: RowAction) => send({ kind: "row", action, run: shown.run, candidate: row.id });
  const cell = h("span", { role: "gridcell", className: "actions" });
  if (canApply(row)) {
    cell.append(button("Apply", `Apply ${row.label}`, () => act("apply")));
  }
  if (row.has_code) {
    cell.append(button("Diff", `Compare ${row.label} with the original`, () => act("diff")));
  }
  if (!row.original && row.status !== "waiting") {
    cell.append(button("Copy", `Copy the code of ${row.label}`, () => act("copy")));
  }
  if (row.details.length > 0) {
    const why = button("Why", `Why ${row.label} stands here`, () => shown.redraw(whyKey(shown.run, row)));
    why.setAttribute("aria-expanded", String(isOpen));
    cell.append(why);
  }
  if (row.can_ask_again) {
    cell.append(button("Ask again", `Ask ${row.label} again`, () => act("askAgain")));
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

function whyElement(row: RowView, shown: Shown): HTMLElement {
  const list = h("dl", {});
  for (const each of row.details) {
    const text = each.code ? h("code", {}, each.text) : each.text;
    list.append(h("dt", {}, each.term), h("dd", {}, text));
  }
  const cell = h("div", { role: "gridcell", className: "reasons" }, list);
  for (const condition of row.conditions ?? []) {
    const label = `Let nothing pass on such a condition (${condition}) in this workspace`;
    cell.append(
      button(`Refuse ${condition}`, label, () => send({ kind: "refuse", run: shown.run, condition })),
    );
  }
  return h("div", { role: "row", "aria-level": 2, className: "row why" }, cell);
}
