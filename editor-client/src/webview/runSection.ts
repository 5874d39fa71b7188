// One run: what came of it, what counts, its table and where its candidates differ.

import type { ViewRun } from "../view/state";
import { differences } from "./differences";
import { h } from "./dom";
import { send } from "./host";
import { table } from "./table";
import { WeightsPanel } from "./weights";

const announcer = document.getElementById("announcer") as HTMLElement;

/** Lives as long as the run is shown: what surrounds the sliders is drawn anew, they are not. */
export class RunSection {
  readonly element: HTMLElement;
  private readonly top = h("div");
  private readonly bottom = h("div");
  private readonly weights: WeightsPanel;
  private announced = "";

  constructor(
    readonly id: string,
    private readonly redraw: () => void,
  ) {
    this.weights = new WeightsPanel(id);
    this.element = h("section", {}, this.top, this.weights.element, this.bottom);
  }

  update(run: ViewRun): void {
    this.element.className = `run ${run.status}`;
    this.element.setAttribute("aria-label", `Run of ${run.title}`);
    this.top.replaceChildren(...top(run));
    this.weights.update(run);
    this.bottom.replaceChildren(...bottom(run, this.redraw));
    this.announce(run.status === "running" ? `Running on ${run.title}` : `${run.title}: ${run.headline}`);
  }

  private announce(text: string): void {
    if (text !== this.announced) {
      this.announced = text;
      announcer.textContent = text;
    }
  }
}

function top(run: ViewRun): HTMLElement[] {
  const progress = run.progress && [
    h("progress", { max: Math.max(run.progress.of, 1), value: run.progress.done, "aria-label": "Progress" }),
  ];
  return [
    h("header", {}, h("h2", { title: run.title }, run.title), button(run)),
    h("p", { className: "file" }, run.file),
    h("p", { className: "headline" }, run.headline),
    ...(progress ?? []),
    h("p", { className: "summary" }, run.summary),
  ];
}

function bottom(run: ViewRun, redraw: () => void): HTMLElement[] {
  const map = differences(run);
  const notes = h("ul", { className: "notes" }, ...run.notes.map((note) => h("li", {}, note)));
  return [table(run, redraw), ...(map ? [map] : []), ...(run.notes.length ? [notes] : [])];
}

function button(run: ViewRun): HTMLElement {
  const isRunning = run.status === "running";
  const attributes = {
    type: "button",
    className: "secondary",
    "data-key": isRunning ? "cancel" : "rerun",
    onClick: () => send({ kind: isRunning ? "cancel" : "rerun", run: run.id }),
  };
  return h("button", attributes, isRunning ? "Cancel" : "Run Again");
}
