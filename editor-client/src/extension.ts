// The extension's beginning and end: makes its parts and joins them.

import * as vscode from "vscode";
import type { LanguageClient } from "vscode-languageclient/node";
import { registerChat } from "./chat";
import { registerCommands } from "./commands";
import { EditorModel, hasEditorModel } from "./editorModel";
import { Keys } from "./keys";
import { registerMcp, servesMcp } from "./mcp";
import { GENERATE, type GenerateParams, RUN_CHANGED, type RunChanged } from "./protocol";
import { Actions } from "./runs/actions";
import { AppliedMark } from "./runs/appliedMark";
import { Diffs } from "./runs/diffs";
import { Runs } from "./runs/runs";
import { OwnEnvironment } from "./server/own";
import { onPythonChosen } from "./server/pythonExtension";
import { Server } from "./server/server";
import { settingNames, settingsFor } from "./server/settings";
import { StatusBar } from "./statusBar";
import { ResultsView } from "./view/resultsView";
import type { ViewState } from "./view/state";
import { viewTaker } from "./view/taker";

let stop: (() => Promise<void>) | undefined;

export function activate(context: vscode.ExtensionContext): void {
  const log = vscode.window.createOutputChannel("codeens", { log: true });
  const keys = new Keys(context);
  const model = new EditorModel(context.globalState);
  const runs = new Runs();
  const diffs = new Diffs();
  const applied = new AppliedMark(context.extensionUri);
  const names = settingNames(context.extension.packageJSON);
  const server: Server = new Server(
    context.globalStorageUri,
    new OwnEnvironment(context.extension, context.globalStorageUri.fsPath, log),
    log,
    {
      settings: (folder) => settingsFor(names, folder),
      execute: (command, args) => actions.execute(command, args[0]),
    },
    async () => ({ environment: await keys.environment(process.env), generates: await hasEditorModel() }),
  );
  const view: ResultsView = new ResultsView(
    context.extensionUri,
    () => viewState(server, runs),
    (message) => take(message),
  );
  const actions: Actions = new Actions(runs, diffs, applied, {
    client: () => readyClient(server, view),
    showResults: () => view.reveal(false),
    resultsAreVisible: () => view.isVisible,
    showLog: () => log.show(),
  });
  const take = viewTaker(actions);
  const status = new StatusBar(runs, () => server.state);
  stop = () => server.stop();

  const refresh = () => {
    status.refresh();
    view.refresh();
    void vscode.commands.executeCommand("setContext", "codeens.running", runs.underWay.length > 0);
    void vscode.commands.executeCommand("setContext", "codeens.ready", server.state.kind === "ready");
    void vscode.commands.executeCommand("setContext", "codeens.hasRun", runs.all.length > 0);
  };
  context.subscriptions.push(
    log,
    runs,
    diffs,
    applied,
    server,
    view,
    status,
    registerChat(actions, log),
    registerCommands({
      actions,
      server,
      keys,
      runs,
      diffs,
      view,
      log,
      manifest: context.extension.packageJSON,
    }),
    runs.onDidChange(refresh),
    runs.onDidBegin(() => {
      if (runs.all.length === 1) {
        void view.reveal(true);
      }
    }),
    server.onDidChange(refresh),
    server.onDidChange(({ kind }) => void (kind === "ready" && actions.remember())),
    server.onWillStart((client) => listen(client, runs, model)),
    server.onDidCrash((isRestarted) => hasCrashed(runs, isRestarted)),
    vscode.workspace.onDidGrantWorkspaceTrust(() => server.start()),
    vscode.workspace.onDidChangeConfiguration((change) => {
      if (change.affectsConfiguration("codeens.server")) {
        void server.start();
      }
    }),
  );
  offerToAgents(context, server, keys, log);
  void startAtFirst(context, server);
}

export async function deactivate(): Promise<void> {
  await stop?.();
}

async function startAtFirst(context: vscode.ExtensionContext, server: Server): Promise<void> {
  await server.start();
  const listening = await onPythonChosen(() => {
    if (server.state.kind === "down") {
      void server.start();
    }
  });
  if (listening) {
    context.subscriptions.push(listening);
  }
}

function listen(client: LanguageClient, runs: Runs, model: EditorModel): void {
  model.forgetRefusals();
  client.onNotification(RUN_CHANGED, (news: RunChanged) => runs.take(news));
  client.onRequest(GENERATE, (params: GenerateParams, token: vscode.CancellationToken) =>
    model.generate(params, token),
  );
}

/** The MCP server is one of the Python that the language server runs with, in the folders that are open. */
function offerToAgents(
  context: vscode.ExtensionContext,
  server: Server,
  keys: Keys,
  log: vscode.LogOutputChannel,
): void {
  const changed = new vscode.EventEmitter<void>();
  const registered = registerMcp(
    {
      server: async () => {
        await server.settled();
        const state = server.state;
        const serves = servesMcp(server.client?.initializeResult?.capabilities);
        return state.kind === "ready" && serves ? state : undefined;
      },
      onDidChange: changed.event,
      folder: context.globalStorageUri,
      keys: async () => (await keys.environment({})) as Record<string, string>,
    },
    log,
  );
  context.subscriptions.push(
    changed,
    server.onDidChange(({ kind }) => kind === "starting" || changed.fire()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => changed.fire()),
    ...(registered ? [registered] : []),
  );
}

function viewState(server: Server, runs: Runs): ViewState {
  const state = server.state;
  switch (state.kind) {
    case "untrusted":
    case "starting":
      return { kind: state.kind };
    case "down":
      return { kind: "noServer", message: state.message, canInstall: state.canInstall };
    case "ready":
      return { kind: "runs", runs: runs.all, earlier: runs.earlier, shown: runs.shown };
  }
}

async function readyClient(server: Server, view: ResultsView): Promise<LanguageClient | undefined> {
  await server.settled();
  if (server.client === undefined) {
    await view.reveal(false);
  }
  return server.client;
}

function hasCrashed(runs: Runs, isRestarted: boolean): void {
  const lost = runs.underWay.length > 0 ? " The run that was under way is lost." : "";
  runs.endAll("the server ended while it ran");
  const message = isRestarted
    ? `codeens: the server ended unexpectedly and was started again.${lost}`
    : "codeens: the server ended unexpectedly twice, and is not started again.";
  const choices = isRestarted ? ["Show Log"] : ["Show Log", "Restart"];
  void vscode.window.showWarningMessage(message, ...choices).then((chosen) => {
    if (chosen) {
      void vscode.commands.executeCommand(chosen === "Restart" ? "codeens.restartServer" : "codeens.showLog");
    }
  });
}
