// One item in the status bar: how runs go and what they cost, or what is wrong with the server.

import * as vscode from "vscode";
import { executed } from "./runs/run";
import type { Runs } from "./runs/runs";
import { money, plural } from "./runs/words";
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
    const underWay = this.runs.underWay;
    const cost = money(this.runs.costUsd);
    if (underWay.length === 0) {
      const count = this.runs.all.length;
      const text = count ? `$(beaker) codeens ${cost}` : "$(beaker) codeens";
      return {
        text,
        tooltip: count
          ? `${plural(count, "run")} in this window, ${cost}`
          : "Ready: run an ensemble on a function",
      };
    }
    const planned = underWay.reduce((sum, state) => sum + state.planned, 0);
    const done = underWay.reduce((sum, state) => sum + executed(state), 0);
    const names = underWay.map((state) => state.qualname).join(", ");
    const text = `$(loading~spin) codeens ${planned ? `${done}/${planned} ` : ""}${cost}`;
    return { text, tooltip: `Running on ${names}: ${done} of ${planned} executed, ${cost} so far` };
  }
}
