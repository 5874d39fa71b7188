// "Install the Server", as the user sees it: steps, a way to cancel, and one button where it did not work.

import * as vscode from "vscode";
import type { Remedy } from "./makers";
import type { Server } from "./server";

const BUTTONS: Record<Remedy, string> = {
  python: "Get Python",
  uv: "Get a Python With uv",
  again: "Try Again",
};
const PYTHON = vscode.Uri.parse("https://www.python.org/downloads/");

let underWay: Promise<void> | undefined;

/** One at a time: a second request joins the first. */
export function installServer(server: Server): Promise<void> {
  underWay ??= installUntilDone(server).finally(() => {
    underWay = undefined;
  });
  return underWay;
}

async function installUntilDone(server: Server): Promise<void> {
  let withUv = false;
  for (;;) {
    const trouble = await installOnce(server, withUv);
    if (trouble === undefined) {
      return;
    }
    const button = BUTTONS[trouble.remedy];
    if ((await vscode.window.showErrorMessage(`codeens: ${trouble.why}`, button)) !== button) {
      return;
    }
    if (trouble.remedy === "python") {
      await vscode.env.openExternal(PYTHON);
      return;
    }
    withUv = trouble.remedy === "uv";
  }
}

function installOnce(server: Server, withUv: boolean) {
  const options = {
    location: vscode.ProgressLocation.Notification,
    title: "codeens: installing the server",
    cancellable: true,
  };
  return vscode.window.withProgress(options, async (progress, token) => {
    const stop = new AbortController();
    token.onCancellationRequested(() => stop.abort());
    const tell = (message: string) => progress.report({ message });
    const trouble = await server.install({ tell, signal: stop.signal, withUv });
    return stop.signal.aborted ? undefined : trouble;
  });
}
