// What is done with what the results view sends.

import * as vscode from "vscode";
import { mend } from "../mending";
import { COMMANDS, type RerankArguments } from "../protocol";
import type { Actions } from "../runs/actions";
import { Latest } from "./latest";
import type { FromView, RowAction, ViewCommand } from "./state";

const VIEW_COMMANDS: Record<ViewCommand, string> = {
  trust: "workbench.trust.manage",
  install: "codeens.installServer",
  choosePython: "codeens.choosePython",
  log: "codeens.showLog",
  restart: "codeens.restartServer",
  start: "codeens.getStarted",
  run: "codeens.runEnsemble",
};

export function viewTaker(actions: Actions): (message: FromView) => void {
  const ranking = new Latest<RerankArguments>((asked) => actions.rerank(asked));
  return (message) => {
    void done(message);
  };

  async function done(message: FromView): Promise<void> {
    switch (message.kind) {
      case "ready":
        return;
      case "show":
        return actions.execute(COMMANDS.showRun, { runId: message.run });
      case "row":
        return row(message.action, message.run, message.candidate);
      case "rerun":
        return actions.execute(COMMANDS.rerun, { runId: message.run });
      case "cancel":
        return actions.execute(COMMANDS.cancel, { runId: message.run });
      case "pin": {
        const right = message.right === undefined ? {} : { right: message.right };
        return actions.execute(COMMANDS.pinInput, { runId: message.run, number: message.number, ...right });
      }
      case "refuse":
        return actions.execute(COMMANDS.refuse, { runId: message.run, kind: message.condition });
      case "weigh": {
        const weights = message.weights ? { weights: message.weights } : {};
        return ranking.make({ runId: message.run, goal: message.goal, ...weights });
      }
      case "mend":
        await mend(message.remedy, message.run);
        return;
      case "command":
        await vscode.commands.executeCommand(VIEW_COMMANDS[message.command]);
    }
  }

  function row(action: RowAction, runId: string, candidate: string): Promise<void> {
    switch (action) {
      case "diff":
        return actions.execute(COMMANDS.diff, { runId, candidate });
      case "apply":
        return actions.execute(COMMANDS.apply, { runId, candidate });
      case "copy":
        return actions.copy(runId, candidate);
      case "askAgain":
        return actions.askAgain(runId, candidate);
    }
  }
}
