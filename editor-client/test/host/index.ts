// Runs inside the editor's extension host: the extension as other extensions and the editor itself see it.

import assert from "node:assert/strict";
import { join } from "node:path";
import * as vscode from "vscode";

const FUNCTION_LINE = 5;
const READY_WITHIN_MS = 120_000;
const TOOL = "codeens_improve";

/** The part of the API that is newer than the oldest editor this extension runs in. */
interface Tools {
  readonly tools: readonly { readonly name: string }[];
  invokeTool(
    name: string,
    options: { readonly input: object; readonly toolInvocationToken: undefined },
  ): Thenable<{ readonly content: readonly { readonly value?: string }[] }>;
}

export async function run(): Promise<void> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath;
  assert.ok(folder, "a folder is open");
  const document = await vscode.workspace.openTextDocument(join(folder, "orders.py"));
  await vscode.window.showTextDocument(document);
  const at = new vscode.Range(FUNCTION_LINE, 6, FUNCTION_LINE, 6);

  const actions = await until("the server offers its actions", async () => {
    const found = await actionsAt(document.uri, at);
    return found.length ? found : undefined;
  });
  assert.ok(actions.some((action) => action.title === "Run ensemble on `repeat_customers`"));
  await everyCommandIsThere();
  await agentsHaveTheTool();
  await isAppliedByOneEdit(document, at);
  await vscode.commands.executeCommand("undo");
  assert.equal(document.getText(), await onDisk(document.uri));
}

/** The tool starts a run and answers with its table. */
async function agentsHaveTheTool(): Promise<void> {
  const { lm } = vscode as unknown as { readonly lm: Tools };
  assert.ok(lm.tools.some((tool) => tool.name === TOOL));
  const input = { file: "orders.py", function: "repeat_customers", goal: "readability" };
  const { content } = await lm.invokeTool(TOOL, { input, toolInvocationToken: undefined });
  const report = content.map(({ value }) => value).join("");
  assert.match(report, /^\| 0 \| \*\*original\*\* \| passed/m);
  assert.match(report, /^\| 1=? \| .* \| passed: 4\/4 tests/m);
}

async function isAppliedByOneEdit(document: vscode.TextDocument, at: vscode.Range): Promise<void> {
  const before = document.getText();
  const lenses = await vscode.commands.executeCommand<vscode.CodeLens[]>(
    "vscode.executeCodeLensProvider",
    document.uri,
  );
  assert.ok(lenses.length > 0, "the result stands above the function");
  const hovers = await vscode.commands.executeCommand<vscode.Hover[]>(
    "vscode.executeHoverProvider",
    document.uri,
    at.start,
  );
  const told = hovers.flatMap((hover) => hover.contents).map((each) => (each as vscode.MarkdownString).value);
  assert.ok(told.some((text) => text.includes("readable")));
  const first = (await actionsAt(document.uri, at, 20)).find((action) => action.title.startsWith("1. Apply"));
  assert.ok(first, "the first of the ranking can be applied");
  assert.ok(first.edit, "its edit was resolved");
  assert.equal(await vscode.workspace.applyEdit(first.edit), true);
  assert.notEqual(document.getText(), before);
}

async function everyCommandIsThere(): Promise<void> {
  const known = new Set(await vscode.commands.getCommands(true));
  const extension = vscode.extensions.getExtension("codeens.codeens");
  const declared = extension?.packageJSON.contributes.commands as { readonly command: string }[];
  for (const { command } of declared) {
    assert.ok(known.has(command), command);
  }
}

async function actionsAt(uri: vscode.Uri, at: vscode.Range, resolved = 0): Promise<vscode.CodeAction[]> {
  const found = await vscode.commands.executeCommand<vscode.CodeAction[]>(
    "vscode.executeCodeActionProvider",
    uri,
    at,
    undefined,
    resolved,
  );
  return found.filter((action) => action.kind?.value.includes("codeens"));
}

async function onDisk(uri: vscode.Uri): Promise<string> {
  return Buffer.from(await vscode.workspace.fs.readFile(uri)).toString("utf8");
}

async function until<T>(what: string, found: () => Promise<T | undefined>): Promise<T> {
  const late = Date.now() + READY_WITHIN_MS;
  for (;;) {
    const value = await found();
    if (value !== undefined) {
      return value;
    }
    assert.ok(Date.now() < late, `not in time: ${what}`);
    await new Promise((later) => setTimeout(later, 200));
  }
}
