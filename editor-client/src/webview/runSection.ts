// One run: what came of it, what counts, its table and where its candidates differ.

import type { RunView } from "../protocol";
import type { KnownRun } from "../runs/run";
import { REMEDIES } from "../view/remedies";
import { differences } from "./differences";
import { h } from "./dom";
import { send } from "./host";
import { picture } from "./picture";
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

  update(run: KnownRun): void {
    const { view } = run;
    const name = view.function.name;
    this.element.className = `run ${view.status}`;
    this.element.setAttribute("aria-label", `Run of ${name}`);
    this.top.replaceChildren(...top(run));
    this.weights.update(run);
    this.bottom.replaceChildren(...bottom(view, this.redraw));
    this.announce(view.status === "running" ? `Running on ${name}` : `${name}: ${view.headline}`);
  }

  private announce(text: string): void {
    if (text !== this.announced) {
      this.announced = text;
      announcer.textContent = text;
    }
  }
}

function top({ view: run, time }: KnownRun): HTMLElement[] {
  const { name, file } = run.function;
  const { done, total } = run.progress;
  const progress = h("progress", { max: Math.max(total, 1), value: done, "aria-label": "Progress" });
  return [
    h("header", {}, h("h2", { title: name }, name), button(run)),
    h("p", { className: "file" }, file),
    h("p", { className: "headline" }, run.headline),
    ...(run.status === "running" ? [progress] : []),
    ...(run.status === "running" && time ? [h("p", { className: "time" }, time)] : []),
    h("p", { className: "summary" }, run.summary),
    ...(run.failures.length > 0 ? [failures(run)] : []),
  ];
}

function failures(run: RunView): HTMLElement {
  const items = run.failures.map(({ text, remedy }) =>
    h(
      "li",
      {},
      h("span", { className: "sign", "aria-hidden": "true" }, "⚠"),
      `${text} `,
      h(
        "button",
        {
          type: "button",
          className: "link",
          "data-key": `mend ${text}`,
          onClick: () => send({ kind: "mend", run: run.run_id, remedy }),
        },
        REMEDIES[remedy],
      ),
    ),
  );
  return h("ul", { className: "failures", "aria-label": "What failed" }, ...items);
}

function bottom(run: RunView, redraw: () => void): HTMLElement[] {
  const map = differences(run);
  const notes = h("ul", { className: "notes" }, ...run.notes.map((note) => h("li", {}, note.text)));
  const drawn = picture(run);
  return [
    table(run, redraw),
    ...(drawn ? [drawn] : []),
    ...(map ? [map] : []),
    ...(run.notes.length ? [notes] : []),
  ];
}

function button(run: RunView): HTMLElement {
  const isRunning = run.status === "running" || run.status === "queued";
  const attributes = {
    type: "button",
    className: "secondary",
    "data-key": isRunning ? "cancel" : "rerun",
    onClick: () => send({ kind: isRunning ? "cancel" : "rerun", run: run.run_id }),
  };
  return h("button", attributes, isRunning ? "Cancel" : "Run Again");
}
