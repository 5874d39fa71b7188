// What counts: the goal and its weights. A change ranks again at once; nothing is run.

import type { Goal, Weights } from "../protocol";
import type { KnownRun } from "../runs/run";
import { h } from "./dom";
import { isToggled, send, toggle } from "./host";

const GOALS: readonly Goal[] = ["balanced", "correctness", "speed", "memory", "readability"];
const PARTS: readonly (readonly [keyof Weights, string])[] = [
  ["correctness", "Correctness"],
  ["quality", "Readability"],
  ["speed", "Speed"],
  ["efficiency", "Memory"],
];
const KEY = "weights";

/** Lives as long as its run is shown, so that a slider is not replaced under the pointer that drags it. */
export class WeightsPanel {
  readonly element: HTMLDetailsElement;
  private readonly goal: HTMLSelectElement;
  private readonly goalName = h("span", { className: "detail" });
  private readonly sliders: readonly (readonly [keyof Weights, HTMLInputElement, HTMLOutputElement])[];

  constructor(private readonly run: string) {
    this.goal = h("select", { id: "goal", onChange: () => this.goalChosen() });
    this.goal.append(...GOALS.map((goal) => h("option", { value: goal }, goal)));
    this.sliders = PARTS.map(
      ([part, title]) => [part, this.slider(part, title), h("output", { for: part })] as const,
    );
    this.element = h(
      "details",
      { className: "weights", open: isToggled(KEY) },
      h("summary", {}, "What counts", this.goalName),
      h("div", { className: "field" }, h("label", { for: "goal" }, "Goal"), this.goal),
      ...this.sliders.map(([part, slider, output], at) =>
        h("div", { className: "field" }, h("label", { for: part }, PARTS[at]?.[1]), slider, output),
      ),
    );
    this.element.addEventListener("toggle", () => {
      if (this.element.open !== isToggled(KEY)) {
        toggle(KEY);
      }
    });
  }

  update(run: KnownRun): void {
    this.element.hidden = run.weights === undefined;
    if (run.weights === undefined) {
      return;
    }
    this.goal.value = run.view.goal;
    this.goalName.textContent = run.by ?? run.view.goal;
    const isDragged = this.sliders.some(([, slider]) => slider === document.activeElement);
    for (const [part, slider] of this.sliders) {
      if (!isDragged) {
        slider.value = String(run.weights[part]);
      }
    }
    this.showShares();
  }

  private slider(part: keyof Weights, title: string): HTMLInputElement {
    return h("input", {
      id: part,
      type: "range",
      min: 0,
      max: 100,
      step: 5,
      title: `How much ${title.toLowerCase()} counts`,
      onInput: () => this.weighed(),
    });
  }

  private goalChosen(): void {
    send({ kind: "weigh", run: this.run, goal: this.goal.value as Goal });
  }

  private weighed(): void {
    this.showShares();
    const weights = Object.fromEntries(this.sliders.map(([part, slider]) => [part, Number(slider.value)]));
    if (this.total() > 0) {
      send({
        kind: "weigh",
        run: this.run,
        goal: this.goal.value as Goal,
        weights: weights as unknown as Weights,
      });
    }
  }

  private total(): number {
    return this.sliders.reduce((sum, [, slider]) => sum + Number(slider.value), 0);
  }

  private showShares(): void {
    const total = this.total();
    for (const [, slider, output] of this.sliders) {
      const share = total === 0 ? 0 : Math.round((100 * Number(slider.value)) / total);
      output.textContent = `${share} %`;
      slider.setAttribute("aria-valuetext", `${share} percent`);
    }
  }
}
