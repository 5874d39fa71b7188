// The runs that are not shown: those that wait or run, and what the store has of the workspace.

import type { KnownRun as Earlier, RunView } from "../protocol";
import type { KnownRun } from "../runs/run";
import { h } from "./dom";
import { send } from "./host";

export function history(others: readonly KnownRun[], earlier: readonly Earlier[]): HTMLElement[] {
  const open = others.filter(({ view }) => view.status === "running" || view.status === "queued");
  const stored = new Set(earlier.map((each) => each.runId));
  const lost = others.filter((run) => !open.includes(run) && !stored.has(run.view.run_id));
  const past = [
    ...lost.map(({ view }) =>
      entry(view.run_id, view.function.qualname, [view.function.file, view.headline]),
    ),
    ...earlier.map((run) => entry(run.runId, run.function, [timeOf(run), run.result, run.goal, run.file])),
  ];
  return [section("Queue", open.map(queued)), section("Runs of this workspace", past)].flatMap(
    (each) => each ?? [],
  );
}

function section(title: string, items: readonly HTMLElement[]): HTMLElement | undefined {
  return items.length > 0
    ? h("section", { className: "history" }, h("h3", {}, title), h("ul", {}, ...items))
    : undefined;
}

function queued({ view }: KnownRun): HTMLElement {
  const { run_id: run, function: about } = view;
  const cancel = h(
    "button",
    {
      type: "button",
      className: "link",
      "aria-label": `Cancel the run of ${about.qualname}`,
      "data-key": `cancel ${run}`,
      onClick: () => send({ kind: "cancel", run }),
    },
    "Cancel",
  );
  return h("li", { className: "queued" }, ...entry(run, about.qualname, [stateOf(view)]).childNodes, cancel);
}

function stateOf(view: RunView): string {
  return view.status === "running" ? "running" : view.headline;
}

function entry(run: string, name: string, details: readonly string[]): HTMLElement {
  const detail = details.filter(Boolean).join(" · ");
  const button = h(
    "button",
    {
      type: "button",
      className: "earlier",
      title: detail,
      "data-key": `run ${run}`,
      onClick: () => send({ kind: "show", run }),
    },
    h("span", { className: "function" }, name),
    h("span", { className: "detail" }, detail),
  );
  return h("li", {}, button);
}

/** When it began, in the reader's own time. */
function timeOf(run: Earlier): string {
  const time = new Date(run.time);
  const isToday = time.toDateString() === new Date().toDateString();
  return isToday
    ? time.toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" })
    : time.toLocaleDateString([], { month: "short", day: "numeric" });
}
