// Marks a proven change where it was put in. The next edit takes the mark away: what stands there then is not proven.

import * as vscode from "vscode";
import type { AppliedPlace } from "../protocol";

export class AppliedMark implements vscode.Disposable {
  private readonly type: vscode.TextEditorDecorationType;
  private readonly listening: vscode.Disposable;
  private place: AppliedPlace | undefined;

  constructor(extension: vscode.Uri) {
    this.type = vscode.window.createTextEditorDecorationType({
      gutterIconPath: vscode.Uri.joinPath(extension, "media", "applied.svg"),
      gutterIconSize: "contain",
      overviewRulerColor: new vscode.ThemeColor("testing.iconPassed"),
      overviewRulerLane: vscode.OverviewRulerLane.Left,
      after: { color: new vscode.ThemeColor("editorCodeLens.foreground"), margin: "0 0 0 3em" },
    });
    this.listening = vscode.Disposable.from(
      vscode.workspace.onDidChangeTextDocument(({ document, contentChanges }) => {
        if (contentChanges.length > 0 && document.uri.toString() === this.uri) {
          this.show(undefined);
        }
      }),
      vscode.window.onDidChangeVisibleTextEditors(() => this.draw()),
    );
  }

  show(place: AppliedPlace | undefined): void {
    this.place = place;
    this.draw();
  }

  dispose(): void {
    this.listening.dispose();
    this.type.dispose();
  }

  private get uri(): string | undefined {
    return this.place && vscode.Uri.parse(this.place.uri).toString();
  }

  private draw(): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const isMeant = editor.document.uri.toString() === this.uri;
      editor.setDecorations(this.type, isMeant && this.place ? options(editor.document, this.place) : []);
    }
  }
}

/** A mark on every line of the function, and what it rests on beside the first. */
function options(document: vscode.TextDocument, place: AppliedPlace): vscode.DecorationOptions[] {
  const lines = Array.from({ length: place.endLine - place.line + 1 }, (_, at) => place.line + at);
  return lines
    .filter((line) => line < document.lineCount)
    .map((line, at) => ({
      range: document.lineAt(line).range,
      hoverMessage: new vscode.MarkdownString().appendText(place.text),
      ...(at === 0 ? { renderOptions: { after: { contentText: `✓ ${place.text}` } } } : {}),
    }));
}
