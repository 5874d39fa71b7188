// The table of a run: groups of the same behaviour, and in each its candidates.

import type { ColumnKey, ColumnView, GroupView, RowView, RunView } from "../protocol";
import type { RowAction } from "../view/state";
import { h } from "./dom";
import { chooseOrder, chosenOrder, isToggled, type Order, send, toggle } from "./host";
import { isSortable, sorted } from "./order";
import { canApply, rowElements, type Shown, whyKey } from "./rows";

const ROW_KEYS: Readonly<Record<string, RowAction>> = { enter: "diff", a: "apply", c: "copy" };

export function table(run: RunView, redraw: () => void): HTMLElement {
  const shown: Shown = {
    run: run.run_id,
    columns: run.columns,
    redraw: (key) => {
      toggle(key);
      redraw();
    },
  };
  const order = chosenOrder();
  const header = h(
    "div",
    { role: "row", className: "row header" },
    h("span", { role: "none", className: "sort-by" }, "Sort by"),
    ...run.columns.map((column) => heading(column, order, redraw)),
    h("span", { role: "columnheader" }),
  );
  const element = h("div", {
    role: "treegrid",
    className: "table",
    "aria-label": `Candidates of ${run.function.name}`,
    onKeydown: (event: KeyboardEvent) => keyPressed(event, run, shown),
    onFocusin: (event: FocusEvent) => select(element, rowOf(event.target)),
  });
  const content = order
    ? sorted(run.rows, order.by, order.isReversed).flatMap((row) => rowElements(row, shown))
    : run.groups.flatMap((group) => groupElements(group, run, shown));
  element.append(...(run.rows.length > 0 ? [header] : []), ...content);
  rows(element)[0]?.setAttribute("tabindex", "0");
  return element;
}

/** A click sorts, a second the other way round, a third brings the ranking back. */
function heading(column: ColumnView, order: Order | undefined, redraw: () => void): HTMLElement {
  const { key, title, explained } = column;
  const isChosen = order?.by === key;
  const cell = h("span", { role: "columnheader", className: `of-${key}`, title: explained });
  if (!isSortable(key)) {
    cell.append(title);
    return cell;
  }
  cell.setAttribute("aria-sort", isChosen ? (order.isReversed ? "descending" : "ascending") : "none");
  const sort = () => {
    chooseOrder(nextOrder(key, order));
    redraw();
  };
  const sign = isChosen ? (order.isReversed ? " ↑" : " ↓") : "";
  const attributes = { type: "button", className: "sort", "data-sort": key, onClick: sort };
  cell.append(h("button", { ...attributes, id: `sort-${key}` }, `${title}${sign}`));
  return cell;
}

function nextOrder(key: ColumnKey, order: Order | undefined): Order | undefined {
  if (order?.by !== key) {
    return { by: key, isReversed: false };
  }
  return order.isReversed ? undefined : { by: key, isReversed: true };
}

function groupKey(run: string, group: GroupView): string {
  return `group ${run} ${group.id}`;
}

function groupElements(group: GroupView, run: RunView, shown: Shown): HTMLElement[] {
  const key = groupKey(shown.run, group);
  const isOpen = !isToggled(key);
  const head = h(
    "div",
    {
      role: "row",
      "aria-level": 1,
      "aria-expanded": String(isOpen),
      "aria-label": `${group.title}, ${group.detail}`,
      className: "row group",
      tabindex: -1,
      "data-key": `group ${group.id}`,
      onClick: () => shown.redraw(key),
    },
    h(
      "span",
      { role: "gridcell", className: "group-name" },
      h("span", { className: "twistie", "aria-hidden": "true" }, isOpen ? "▾" : "▸"),
      group.title,
      h("span", { className: "detail" }, group.detail),
    ),
  );
  const members = isOpen ? run.rows.filter((row) => group.rows.includes(row.id)) : [];
  return [head, ...members.flatMap((row) => rowElements(row, shown))];
}

function rows(table: HTMLElement): HTMLElement[] {
  return [...table.querySelectorAll<HTMLElement>("[data-key]")];
}

function rowOf(target: EventTarget | null): HTMLElement | null {
  return target instanceof HTMLElement ? target.closest<HTMLElement>("[data-key]") : null;
}

/** One row is in the order of the Tab key, the one that was last in focus, and with it its buttons. */
function select(table: HTMLElement, chosen: HTMLElement | null): void {
  for (const row of rows(table)) {
    const isChosen = row === chosen;
    row.setAttribute("tabindex", isChosen ? "0" : "-1");
    row.setAttribute("aria-selected", String(isChosen));
    for (const button of row.querySelectorAll("button")) {
      button.setAttribute("tabindex", isChosen ? "0" : "-1");
    }
  }
}

function keyPressed(event: KeyboardEvent, run: RunView, shown: Shown): void {
  const element = rowOf(event.target);
  if (element === null || event.ctrlKey || event.metaKey || event.altKey) {
    return;
  }
  const isHandled =
    moved(event, element) || (event.target === element && acted(event.key, element, run, shown));
  if (isHandled) {
    event.preventDefault();
    event.stopPropagation();
  }
}

function moved(event: KeyboardEvent, from: HTMLElement): boolean {
  const table = event.currentTarget as HTMLElement;
  const all = rows(table);
  const at = all.indexOf(from);
  const places: Record<string, number> = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: all.length - 1 };
  const to = places[event.key];
  if (to === undefined) {
    return false;
  }
  all[to]?.focus();
  return true;
}

function acted(key: string, element: HTMLElement, run: RunView, shown: Shown): boolean {
  const [kind, id = ""] = split(element.dataset["key"] ?? "");
  const group = run.groups.find((each) => each.id === id);
  if (kind === "group" && group) {
    return actedOnGroup(key, element, groupKey(run.run_id, group), shown);
  }
  const row = run.rows.find((each) => each.id === id);
  return row !== undefined && actedOnRow(key, row, shown);
}

function actedOnGroup(key: string, element: HTMLElement, name: string, shown: Shown): boolean {
  const isOpen = element.getAttribute("aria-expanded") === "true";
  const isMeant =
    key === "Enter" || key === " " || (key === "ArrowLeft" && isOpen) || (key === "ArrowRight" && !isOpen);
  if (isMeant) {
    shown.redraw(name);
  }
  return isMeant;
}

function actedOnRow(key: string, row: RowView, shown: Shown): boolean {
  if (key === " " || key.toLowerCase() === "w") {
    shown.redraw(whyKey(shown.run, row));
    return true;
  }
  const action = ROW_KEYS[key.toLowerCase()];
  if (action === undefined || !(action === "apply" ? canApply(row) : row.has_code)) {
    return false;
  }
  send({ kind: "row", action, run: shown.run, candidate: row.id });
  return true;
}

function split(key: string): [string, string] {
  const at = key.indexOf(" ");
  return [key.slice(0, at), key.slice(at + 1)];
}
