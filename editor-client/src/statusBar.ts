// One item in the status bar: how runs go and what they cost, or what is wrong with the server.

import * as vscode from "vscode";
import type { Runs } from "./runs/runs";
import type { ServerState } from "./server/server";

export class StatusBar implements vscode.Disposable {
  private readonly item = vscode.window.createStatusBarItem(
    "codeens.status",
    vscode.StatusBarAlignment.Left,
    0,
  );

  constructor(
    private readonly runs: Runs,
    private readonly server: () => ServerState,
  ) {
    this.item.name = "codeens";
    this.item.command = "codeens.showResults";
    this.refresh();
    this.item.show();
  }

  refresh(): void {
    const { text, tooltip, isWarning } = this.said();
    this.item.text = text;
    this.item.tooltip = tooltip;
    this.item.accessibilityInformation = { label: `codeens: ${tooltip}` };
    this.item.backgroundColor = isWarning
      ? new vscode.ThemeColor("statusBarItem.warningBackground")
      : undefined;
  }

  dispose(): void {
    this.item.dispose();
  }

  private said(): { text: string; tooltip: string; isWarning?: boolean } {
    const server = this.server();
    switch (server.kind) {
      case "untrusted":
        return { text: "$(beaker) codeens $(lock)", tooltip: "Off: this workspace is not trusted" };
      case "starting":
        return { text: "$(loading~spin) codeens", tooltip: "The server is starting" };
      case "down":
        return { text: "$(warning) codeens", tooltip: server.message, isWarning: true };
      case "ready":
        return this.ofRuns();
    }
  }

  private ofRuns(): { text: string; tooltip: string } {
    const { underWay, queued, all, spent = "" } = this.runs;
    if (underWay.length === 0) {
      const count = all.length === 1 ? "1 run" : `${all.length} runs`;
      return {
        text: `$(beaker) codeens ${spent}`.trimEnd(),
        tooltip: all.length ? `${count} in this window, ${spent}` : "Ready: run an ensemble on a function",
      };
    }
    const [run] = underWay;
    const { planned = 0, executed = 0, text: how = "" } = run?.view.progress ?? {};
    const waiting = queued.length ? `, ${queued.length} more waiting` : "";
    const time = run?.time ?? "";
    const text = `$(loading~spin) codeens ${planned ? `${executed}/${planned} ` : ""}${time} ${spent}`;
    return {
      text: text.trimEnd(),
      tooltip: `Running on ${run?.view.function.qualname}: ${how}; ${time}${waiting}; ${spent} so far`,
    };
  }
}
