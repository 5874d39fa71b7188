// The table of a run: groups of the same behaviour, and in each its candidates.

import type { GroupView, RowView, RunView } from "../protocol";
import type { RowAction } from "../view/state";
import { h } from "./dom";
import { isToggled, send, toggle } from "./host";
import { canApply, rowElements, type Shown, whyKey } from "./rows";

const ROW_KEYS: Readonly<Record<string, RowAction>> = { enter: "diff", a: "apply", c: "copy" };
const COLUMNS = ["#", "Candidate", "Verdict", "Speed", "Memory", "Readable", "Lines", ""];

export function table(run: RunView, redraw: () => void): HTMLElement {
  const shown: Shown = {
    run: run.run_id,
    redraw: (key) => {
      toggle(key);
      redraw();
    },
  };
  const header = h("div", { role: "row", className: "row header" });
  header.append(...COLUMNS.map((name) => h("span", { role: "columnheader" }, name)));
  const element = h("div", {
    role: "treegrid",
    className: "table",
    "aria-label": `Candidates of ${run.function.name}`,
    onKeydown: (event: KeyboardEvent) => keyPressed(event, run, shown),
    onFocusin: (event: FocusEvent) => select(element, rowOf(event.target)),
  });
  element.append(header, ...run.groups.flatMap((group) => groupElements(group, run, shown)));
  rows(element)[0]?.setAttribute("tabindex", "0");
  return element;
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
  if (action === undefined || !(action === "copy" ? !row.original : canApply(row))) {
    return false;
  }
  send({ kind: "row", action, run: shown.run, candidate: row.id });
  return true;
}

function split(key: string): [string, string] {
  const at = key.indexOf(" ");
  return [key.slice(0, at), key.slice(at + 1)];
}
