// The texts before and after a candidate, as documents that are on no disk, and the diff between them.

import { basename } from "node:path";
import * as vscode from "vscode";
import type { CandidateDiff, RowArguments } from "../protocol";

export const SCHEME = "codeens";
type Side = "before" | "after";

export class Diffs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registered: vscode.Disposable;
  private readonly reasons = vscode.comments.createCommentController("codeens", "codeens");
  private reason: vscode.CommentThread | undefined;

  constructor() {
    this.registered = vscode.Disposable.from(
      vscode.workspace.registerTextDocumentContentProvider(SCHEME, this),
      vscode.workspace.onDidCloseTextDocument((document) => this.texts.delete(document.uri.toString())),
    );
  }

  provideTextDocumentContent(uri: vscode.Uri): string {
    return (
      this.texts.get(uri.toString()) ??
      "This version is not known any more. Open its diff again from the results."
    );
  }

  async open(result: CandidateDiff, name: string): Promise<void> {
    const before = this.document(result, "before", result.before);
    const after = this.document(result, "after", result.after);
    const on = result.conditions ? `, ${result.conditions}` : "";
    const not = result.rejected ? ", rejected" : "";
    const title = `${basename(vscode.Uri.parse(result.uri).path)}: original ↔ ${name}${on}${not}`;
    const line = firstChange(result.before, result.after);
    const selection = new vscode.Range(line, 0, line, 0);
    await vscode.commands.executeCommand("vscode.diff", before, after, title, { preview: true, selection });
    await vscode.commands.executeCommand("setContext", "codeens.canApplyShown", !result.rejected);
    this.explain(after, line, result);
  }

  /** Says below the changed line of a rejected candidate what is wrong with it. */
  private explain(after: vscode.Uri, line: number, { rejected, counterexample }: CandidateDiff): void {
    this.reason?.dispose();
    if (!rejected) {
      return;
    }
    const body = new vscode.MarkdownString().appendText(rejected);
    if (counterexample) {
      body.appendCodeblock(counterexample, "python");
    }
    const author = { name: "codeens" };
    this.reason = this.reasons.createCommentThread(after, new vscode.Range(line, 0, line, 0), [
      { body, author, mode: vscode.CommentMode.Preview },
    ]);
    this.reason.label = "Rejected";
    this.reason.canReply = false;
    this.reason.collapsibleState = vscode.CommentThreadCollapsibleState.Expanded;
  }

  /** Which candidate a document shows. */
  shownBy(uri: vscode.Uri | undefined): RowArguments | undefined {
    const [runId, candidate] = new URLSearchParams(uri?.query).getAll("of");
    return uri?.scheme === SCHEME && runId && candidate ? { runId, candidate } : undefined;
  }

  dispose(): void {
    this.registered.dispose();
    this.reasons.dispose();
  }

  private document(result: CandidateDiff, side: Side, text: string): vscode.Uri {
    const query = new URLSearchParams([
      ["of", result.runId],
      ["of", result.candidate],
      ["side", side],
    ]).toString();
    const path = vscode.Uri.parse(result.uri).path;
    const uri = vscode.Uri.from({ scheme: SCHEME, path, query });
    this.texts.set(uri.toString(), text);
    return uri;
  }
}

/** The first line that is not the same in both. */
export function firstChange(before: string, after: string): number {
  const [left, right] = [before.split("\n"), after.split("\n")];
  const at = right.findIndex((line, index) => line !== left[index]);
  return at < 0 ? right.length - 1 : at;
}
