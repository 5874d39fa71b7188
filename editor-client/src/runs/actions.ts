// What can be done with functions, runs and candidates: each is a command of the server, and what is shown of its answer.

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import {
  ErrorCodes,
  ExecuteCommandRequest,
  type LanguageClient,
  ResponseError,
} from "vscode-languageclient/node";
import { codeOf, remediesLeft, remediesOf, tellWithMends } from "../mending";
import { pickSlow } from "../pickers";
import {
  type AppliedPlace,
  type CandidateDiff,
  COMMANDS,
  type Goal,
  type KnownModels,
  type KnownRuns,
  type Mode,
  type PinArguments,
  type PinnedTest,
  type RerankArguments,
  type Reranked,
  type RowArguments,
  type RunArguments,
  type ShownRun,
  type SlowPlaces,
  type Started,
} from "../protocol";
import type { AppliedMark } from "./appliedMark";
import type { Diffs } from "./diffs";
import type { Runs } from "./runs";

export interface Shell {
  /** The client of a server that runs; undefined where there is none, which was told to the user. */
  readonly client: () => Promise<LanguageClient | undefined>;
  readonly showResults: () => Promise<void>;
  readonly resultsAreVisible: () => boolean;
  readonly showLog: () => void;
}

/** What is asked of a run beside its function. */
export interface How {
  readonly goal?: Goal;
  readonly mode?: Mode;
  readonly models?: readonly string[];
}

/** A function, by its name or by one of its lines. */
export interface RunPlace extends How {
  readonly uri: string;
  readonly function?: string;
  readonly line?: number;
}

export class Actions {
  constructor(
    private readonly runs: Runs,
    private readonly diffs: Diffs,
    private readonly applied: AppliedMark,
    private readonly shell: Shell,
  ) {}

  /** Executes a command of the server that the user chose, in a menu, above a function or in the results. */
  async execute(command: string, argument: unknown): Promise<void> {
    const asked = (argument ?? {}) as RowArguments & PinArguments & RunArguments;
    switch (command) {
      case COMMANDS.run:
      case COMMANDS.rerun:
        return this.run(command, asked);
      case COMMANDS.pinInput:
        return this.pin(asked);
      case COMMANDS.diff:
        return this.diff(asked);
      case COMMANDS.apply:
        return this.apply(asked);
      case COMMANDS.applied:
        return this.mark(asked);
      case COMMANDS.showRun:
        return this.show(asked.runId);
      default:
        await this.ask(command, asked);
    }
  }

  async runHere(how: How): Promise<void> {
    const place = placeOfCursor();
    if (place === undefined) {
      void vscode.window.showInformationMessage("codeens: put the cursor into a Python function first.");
      return;
    }
    await this.run(COMMANDS.run, { ...place, ...how });
  }

  /** Runs to the end and returns the report, as Markdown; throws what the server refused it with. */
  async report(asked: RunPlace, token: vscode.CancellationToken): Promise<string> {
    const client = await this.shell.client();
    if (client === undefined) {
      throw new Error("the server of codeens does not run; its results view says why");
    }
    const request = { command: COMMANDS.run, arguments: [asked], workDoneToken: randomUUID() };
    const started: Started = await client.sendRequest(ExecuteCommandRequest.type, request, token);
    const show = { command: COMMANDS.showRun, arguments: [{ runId: started.runId }] };
    const shown: ShownRun = await client.sendRequest(ExecuteCommandRequest.type, show, token);
    await this.weigh(started.runId);
    void this.remember();
    return shown.report;
  }

  /** Asks the model and variant of a candidate once more, for a new answer. */
  async askAgain(runId: string, candidateId: string): Promise<void> {
    const run = this.runs.get(runId);
    const row = this.runs.row(runId, candidateId);
    if (run && row) {
      await this.run(COMMANDS.run, {
        uri: run.uri,
        function: run.view.function.qualname,
        goal: run.view.goal,
        models: [row.model],
        variants: [row.variant],
        fresh: true,
      });
    }
  }

  async copy(runId: string, candidateId: string): Promise<void> {
    const shown = await this.ask<ShownRun>(COMMANDS.showRun, { runId });
    const source = shown?.run.results.find((row) => row.candidate.id === candidateId)?.candidate.source;
    if (source !== undefined) {
      await vscode.env.clipboard.writeText(source);
      vscode.window.setStatusBarMessage("$(check) codeens: copied", 2000);
    }
  }

  async rerank(asked: RerankArguments): Promise<void> {
    const order = await this.ask<Reranked>(COMMANDS.rerank, asked);
    if (order) {
      this.runs.rank(order);
    }
  }

  /** Whom a run could ask; undefined where there is no server to say so. */
  models(): Promise<KnownModels | undefined> {
    const uri = vscode.window.activeTextEditor?.document.uri.toString() ?? null;
    return this.ask<KnownModels>(COMMANDS.listModels, { uri });
  }

  /** Looks up which runs of the workspace there were; nobody asked, so that a failure is not told. */
  async remember(): Promise<void> {
    const client = await this.shell.client();
    const params = { command: COMMANDS.listRuns, arguments: [{}] };
    const listed = (await client?.sendRequest(ExecuteCommandRequest.type, params).catch(() => undefined)) as
      | KnownRuns
      | undefined;
    this.runs.remember(listed?.runs ?? []);
  }

  private async run(command: string, asked: object): Promise<void> {
    const started = await this.followed<Started>(command, asked);
    if (started?.headline) {
      await this.announce(started);
    }
  }

  /** What is to be mended is told in any case, results only where they are not seen. */
  private async announce({ runId, headline }: Started): Promise<void> {
    const view = this.runs.get(runId)?.view;
    const remedies = view ? remediesLeft(view) : [];
    if (remedies.length === 0 && this.shell.resultsAreVisible()) {
      return;
    }
    const show =
      remedies.length > 0 ? vscode.window.showWarningMessage : vscode.window.showInformationMessage;
    if (await tellWithMends(show, `codeens: ${headline}`, remedies, "Show Results", runId)) {
      this.runs.show(runId);
      await this.shell.showResults();
    }
  }

  /** Shows a run of this window, or, with an id that it does not know, one that the server finds in the store. */
  private async show(runId: string | null | undefined): Promise<void> {
    let id = runId;
    if (this.runs.get(runId) === undefined) {
      const shown = await this.ask<ShownRun>(COMMANDS.showRun, { runId });
      id = shown?.view.run_id;
      if (shown) {
        this.runs.recall(shown);
        await this.weigh(id);
      }
    }
    if (id) {
      this.runs.show(id);
      await this.shell.showResults();
    }
  }

  private async diff(asked: RowArguments): Promise<void> {
    const result = await this.ask<CandidateDiff>(COMMANDS.diff, asked);
    if (result) {
      await this.diffs.open(result, this.runs.row(result.runId, result.candidate)?.label ?? result.candidate);
    }
  }

  private async apply(asked: RowArguments): Promise<void> {
    const applied = await this.ask(COMMANDS.apply, asked);
    const uri = this.runs.get(asked.runId)?.uri;
    if (applied && uri) {
      await vscode.window.showTextDocument(vscode.Uri.parse(uri), { preview: false });
    }
    if (applied) {
      await this.mark(asked);
    }
  }

  private async mark(asked: RowArguments): Promise<void> {
    this.applied.show((await this.ask<AppliedPlace | null>(COMMANDS.applied, asked)) ?? undefined);
  }

  /** Finds where a file's time goes, lets the user choose among its functions, and runs each in turn. */
  async findSlow(editor: vscode.TextEditor): Promise<void> {
    const { document, selection } = editor;
    const uri = document.uri.toString();
    const part = selection.isEmpty ? {} : { firstLine: selection.start.line, lastLine: selection.end.line };
    const found = await vscode.window.withProgress({ location: { viewId: "codeens.results" } }, () =>
      this.ask<SlowPlaces>(COMMANDS.findSlow, { uri, ...part }),
    );
    if (found === undefined) {
      return;
    }
    const chosen = await pickSlow(found);
    await Promise.all(
      chosen.map((place) =>
        this.run(COMMANDS.run, { uri: place.uri, function: place.function, goal: "speed" }),
      ),
    );
  }

  private async pin(asked: PinArguments): Promise<void> {
    const pinned = await this.followed<PinnedTest>(COMMANDS.pinInput, asked, asked.runId);
    if (pinned) {
      const shown = { preview: false, viewColumn: vscode.ViewColumn.Active };
      await vscode.window.showTextDocument(vscode.Uri.parse(pinned.uri), shown);
    }
  }

  private async ask<T>(command: string, asked: object): Promise<T | undefined> {
    const client = await this.shell.client();
    try {
      return await client?.sendRequest(ExecuteCommandRequest.type, { command, arguments: [asked] });
    } catch (error) {
      await this.tell(error);
      return undefined;
    }
  }

  /** A command that takes long: how it goes is shown by the results, the status bar and the lens, and nowhere else. */
  private async followed<T>(command: string, asked: object, known?: string | null): Promise<T | undefined> {
    const client = await this.shell.client();
    if (client === undefined) {
      return undefined;
    }
    try {
      const answer = (await client.sendRequest(ExecuteCommandRequest.type, {
        command,
        arguments: [asked],
        workDoneToken: randomUUID(),
      })) as T & { readonly runId: string };
      await this.weigh(known ?? answer.runId);
      return answer;
    } catch (error) {
      await this.tell(error);
      return undefined;
    } finally {
      void this.remember();
    }
  }

  /** Asks for the weights that a run was ranked by. */
  private async weigh(id: string | null | undefined): Promise<void> {
    if (id && this.runs.get(id)?.view.status === "finished") {
      await this.rerank({ runId: id });
    }
  }

  private async tell(error: unknown): Promise<void> {
    if (isOfServersEnd(error) || codeOf(error) === "cancelled") {
      return;
    }
    const show = vscode.window.showErrorMessage;
    if (await tellWithMends(show, `codeens: ${messageOf(error)}`, remediesOf(error), "Show Log")) {
      this.shell.showLog();
    }
  }
}

/** Where the cursor is; in a notebook also where it was, in the selected cell that is not being edited. */
function placeOfCursor(): { readonly uri: string; readonly line: number } | undefined {
  const notebook = vscode.window.activeNotebookEditor;
  const cell = notebook?.notebook.cellAt(notebook.selection.start).document;
  const editor =
    vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors.find((each) => each.document === cell);
  const document = editor?.document ?? cell;
  return document?.languageId === "python"
    ? { uri: document.uri.toString(), line: editor?.selection.active.line ?? 0 }
    : undefined;
}

/** The server is gone; that was told already. */
function isOfServersEnd(error: unknown): boolean {
  return error instanceof ResponseError && error.code === ErrorCodes.PendingResponseRejected;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
