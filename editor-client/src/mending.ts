// What failed of a run, told once, with the button that mends it.

import * as vscode from "vscode";
import type { Remedy, RunView } from "./protocol";
import { REMEDIES } from "./view/remedies";

const COMMANDS: Readonly<Record<Remedy, readonly [command: string, argument?: string]>> = {
  key: ["codeens.manageKeys"],
  models: ["codeens.chooseModels"],
  later: ["codeens.runAgain"],
  budget: ["workbench.action.openSettings", "codeens.budgetUsd"],
  time: ["workbench.action.openSettings", "codeens.timeoutS"],
};

/** By the code of an error of the server. */
const OF_ERRORS: Readonly<Record<string, readonly Remedy[]>> = {
  no_model: ["key", "models"],
  model_unreachable: ["key", "models"],
  nothing_generated: ["models"],
};

export function mend(remedy: Remedy, runId?: string): Thenable<unknown> {
  const [command, argument] = COMMANDS[remedy];
  return vscode.commands.executeCommand(command, argument ?? runId);
}

/** Shows a message whose buttons mend what it says; true when the button `other` was chosen. */
export async function tellWithMends(
  show: (message: string, ...buttons: string[]) => Thenable<string | undefined>,
  message: string,
  remedies: readonly Remedy[],
  other: string,
  runId?: string,
): Promise<boolean> {
  const known = [...new Set(remedies)];
  const chosen = await show(message, ...known.map((remedy) => REMEDIES[remedy]), other);
  const remedy = known.find((each) => REMEDIES[each] === chosen);
  if (remedy) {
    await mend(remedy, runId);
  }
  return chosen === other;
}

export function remediesOf(error: unknown): readonly Remedy[] {
  return OF_ERRORS[codeOf(error)] ?? [];
}

/** The code of an error of the server; empty where it has none. */
export function codeOf(error: unknown): string {
  const code = (error as { data?: { code?: unknown } } | undefined)?.data?.code;
  return typeof code === "string" ? code : "";
}

/** What a finished run leaves to be mended; what still gave answers is shown in the results alone. */
export function remediesLeft(view: RunView): readonly Remedy[] {
  return view.failures
    .filter((each) => each.is_silent || each.remedy === "budget")
    .map((each) => each.remedy);
}
