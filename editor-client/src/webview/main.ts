// The results view: draws the state that the extension sends, and sends back what the user does.

import type { ViewCommand, ViewState } from "../view/state";
import { h } from "./dom";
import { history } from "./history";
import { send } from "./host";
import { RunSection } from "./runSection";
import "./results.css";
import "./wide.css";

const root = document.getElementById("results") as HTMLElement;

let state: ViewState = { kind: "starting" };
let section: RunSection | undefined;
let isPressed = false;

window.addEventListener("message", (event: MessageEvent<ViewState>) => {
  state = event.data;
  if (!isPressed) {
    draw();
  }
});
// A button that is drawn anew between press and release is never clicked; the click comes right after the release.
window.addEventListener("pointerdown", () => {
  isPressed = true;
});
for (const released of ["pointerup", "pointercancel", "blur"]) {
  window.addEventListener(released, () => {
    if (isPressed) {
      isPressed = false;
      setTimeout(draw);
    }
  });
}
send({ kind: "ready" });

function draw(): void {
  const key = focused();
  const place = window.scrollY;
  put(content());
  focus(key);
  window.scrollTo(0, place);
}

/** Replaces what the view shows; an element that is there already stays in its place, whoever works with it. */
function put(elements: readonly HTMLElement[]): void {
  const [first, ...rest] = elements;
  if (first === undefined || root.firstElementChild !== first) {
    root.replaceChildren(...elements);
    return;
  }
  while (root.lastElementChild !== first) {
    root.lastElementChild?.remove();
  }
  root.append(...rest);
}

function focused(): string | undefined {
  const active = document.activeElement;
  return active instanceof HTMLElement ? (active.dataset["key"] ?? active.id) || undefined : undefined;
}

function focus(key: string | undefined): void {
  if (key !== undefined) {
    const byKey = document.querySelector<HTMLElement>(`[data-key="${CSS.escape(key)}"]`);
    (byKey ?? document.getElementById(key))?.focus({ preventScroll: true });
  }
}

function content(): HTMLElement[] {
  switch (state.kind) {
    case "untrusted":
      return [
        welcome(
          "This workspace is not trusted, so nothing of it is run. codeens executes functions and tests.",
          ["trust", "Manage Workspace Trust"],
        ),
      ];
    case "starting":
      return [welcome("Starting the server…")];
    case "noServer":
      return [
        welcome(
          state.message,
          ...(state.canInstall ? ([["install", "Install the Server"]] as const) : []),
          ...(state.canInstall ? [] : ([["restart", "Restart"]] as const)),
          ["choosePython", "Choose a Python"],
          ["log", "Show Log"],
        ),
      ];
    case "runs":
      return runs(state);
  }
}

function empty(): HTMLElement {
  return welcome(
    "Put the cursor into a Python function and run an ensemble on it: other versions are made, run in a sandbox, held to your tests, measured and ranked.",
    ["run", "Run Ensemble on Function"],
    ["start", "Get Started"],
  );
}

function welcome(text: string, ...commands: (readonly [ViewCommand, string])[]): HTMLElement {
  const buttons = commands.map(([command, title], at) =>
    h(
      "button",
      {
        type: "button",
        className: at === 0 ? "" : "secondary",
        "data-key": `command ${command}`,
        onClick: () => send({ kind: "command", command }),
      },
      title,
    ),
  );
  return h("section", { className: "welcome" }, h("p", {}, text), ...buttons);
}

function runs({ runs: all, earlier, shown }: Extract<ViewState, { kind: "runs" }>): HTMLElement[] {
  const run = all.find((each) => each.view.run_id === shown) ?? all[0];
  if (run === undefined) {
    return [empty(), ...history([], earlier)];
  }
  if (section?.id !== run.view.run_id) {
    section = new RunSection(run.view.run_id, draw);
  }
  section.update(run);
  const others = all.filter((each) => each !== run);
  const kept = earlier.filter((each) => each.runId !== run.view.run_id);
  return [section.element, ...history(others, kept)];
}
