// The commands of the palette, of menus and of the walkthrough.

import * as vscode from "vscode";
import { type Keys, manageKeys } from "./keys";
import { keepGoal, keepModels, pickGoal, pickModels } from "./pickers";
import { COMMANDS } from "./protocol";
import type { Actions } from "./runs/actions";
import type { Diffs } from "./runs/diffs";
import type { Runs } from "./runs/runs";
import { installServer } from "./server/installing";
import type { Server } from "./server/server";
import type { ResultsView } from "./view/resultsView";

export interface Parts {
  readonly actions: Actions;
  readonly server: Server;
  readonly keys: Keys;
  readonly runs: Runs;
  readonly diffs: Diffs;
  readonly view: ResultsView;
  readonly log: vscode.LogOutputChannel;
  readonly manifest: unknown;
}

export function registerCommands(parts: Parts): vscode.Disposable {
  const { actions, server, runs, diffs, view, log } = parts;
  const commands: Record<string, (...args: never[]) => unknown> = {
    runEnsemble: () => actions.runHere({}),
    makeFaster: () => actions.runHere({ goal: "speed" }),
    useLessMemory: () => actions.runHere({ goal: "memory" }),
    makeReadable: () => actions.runHere({ goal: "readability" }),
    repair: () => actions.runHere({ mode: "repair" }),
    runWith: () => runWith(parts),
    runAgain: (runId?: string) => actions.execute(COMMANDS.rerun, { runId: runId ?? runs.shown }),
    findSlow: () => findSlow(actions),
    chooseModels: () => chooseModels(actions),
    chooseGoal: () => chooseGoal(parts),
    cancelRuns: () =>
      Promise.all(
        [...runs.queued, ...runs.underWay].map(({ view }) =>
          actions.execute(COMMANDS.cancel, { runId: view.run_id }),
        ),
      ),
    showResults: () => view.reveal(false),
    openResults: () => view.openInEditor(),
    applyShown: (uri?: vscode.Uri) => applyShown(actions, diffs, shownUri(uri)),
    nextVersion: (uri?: vscode.Uri) => showBeside(parts, shownUri(uri), 1),
    previousVersion: (uri?: vscode.Uri) => showBeside(parts, shownUri(uri), -1),
    manageKeys: () => keysChanged(parts),
    installServer: () => installServer(server),
    choosePython: () => choosePython(),
    restartServer: () => server.start(),
    showLog: () => log.show(),
    getStarted: () =>
      vscode.commands.executeCommand("workbench.action.openWalkthrough", "codeens.codeens#start"),
  };
  const registered = Object.entries(commands).map(([name, command]) =>
    vscode.commands.registerCommand(`codeens.${name}`, command as (...args: unknown[]) => unknown),
  );
  return vscode.Disposable.from(...registered);
}

/** What a button of an editor was pressed in; by a key it is what the cursor is in. */
function shownUri(uri: vscode.Uri | undefined): vscode.Uri | undefined {
  return uri ?? vscode.window.activeTextEditor?.document.uri;
}

/** Shows the next candidate in the same place. */
async function showBeside(
  { actions, diffs, runs }: Parts,
  uri: vscode.Uri | undefined,
  step: number,
): Promise<void> {
  const { runId, candidate } = diffs.shownBy(uri) ?? {};
  const next = runId && candidate ? runs.beside(runId, candidate, step) : undefined;
  if (next) {
    await actions.execute(COMMANDS.diff, { runId, candidate: next.id });
  }
}

async function applyShown(actions: Actions, diffs: Diffs, uri: vscode.Uri | undefined): Promise<void> {
  const shown = diffs.shownBy(uri);
  if (shown) {
    await actions.execute(COMMANDS.apply, shown);
  }
}

async function runWith({ actions, manifest }: Parts): Promise<void> {
  const known = await actions.models();
  const goal = known && (await pickGoal(manifest, known.goal));
  const models = goal && (await pickModels(known));
  if (models) {
    await actions.runHere({ goal, models: models.map((model) => model.name) });
  }
}

async function findSlow(actions: Actions): Promise<void> {
  const editor = vscode.window.activeTextEditor;
  if (editor?.document.languageId === "python") {
    await actions.findSlow(editor);
  }
}

async function chooseModels(actions: Actions): Promise<void> {
  const known = await actions.models();
  const chosen = known && (await pickModels(known));
  if (chosen) {
    await keepModels(chosen, known);
  }
}

async function chooseGoal({ actions, manifest }: Parts): Promise<void> {
  const known = await actions.models();
  const goal = known && (await pickGoal(manifest, known.goal));
  if (goal) {
    await keepGoal(goal);
  }
}

/** The server reads its environment when it starts; one that is at work is not ended unasked. */
async function keysChanged({ keys, runs, server }: Parts): Promise<void> {
  if (!(await manageKeys(keys))) {
    return;
  }
  if (runs.underWay.length === 0) {
    await server.start();
    return;
  }
  const restart = "Restart Now";
  const message = "codeens: the server takes keys over when it starts, which ends the run that is under way.";
  if ((await vscode.window.showInformationMessage(message, restart)) === restart) {
    await server.start();
  }
}

async function choosePython(): Promise<void> {
  const chosen = await vscode.window.showOpenDialog({
    title: "The Python that has codeens",
    openLabel: "Use This Python",
    canSelectMany: false,
  });
  const python = chosen?.[0]?.fsPath;
  if (python !== undefined) {
    const settings = vscode.workspace.getConfiguration("codeens.server");
    await settings.update("python", python, vscode.ConfigurationTarget.Global);
  }
}
