// The texts before and after a candidate, as documents that are on no disk, and the diff between them.

import { basename } from "node:path";
import * as vscode from "vscode";
import type { CandidateDiff, RowArguments } from "../protocol";

export const SCHEME = "codeens";
type Side = "before" | "after";

export class Diffs implements vscode.TextDocumentContentProvider, vscode.Disposable {
  private readonly texts = new Map<string, string>();
  private readonly registered: vscode.Disposable;

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
    const title = `${basename(vscode.Uri.parse(result.uri).path)}: original ↔ ${name}${on}`;
    const line = firstChange(result.before, result.after);
    const selection = new vscode.Range(line, 0, line, 0);
    await vscode.commands.executeCommand("vscode.diff", before, after, title, { preview: true, selection });
  }

  /** Which candidate a document shows. */
  shownBy(uri: vscode.Uri): RowArguments | undefined {
    const [runId, candidate] = new URLSearchParams(uri.query).getAll("of");
    return uri.scheme === SCHEME && runId && candidate ? { runId, candidate } : undefined;
  }

  dispose(): void {
    this.registered.dispose();
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
