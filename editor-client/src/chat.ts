// A tool for language models and a participant of chats: both start a run and answer with its table.

import * as vscode from "vscode";
import { type Asked, goalOf, type ToolInput, targetOf } from "./chatRequest";
import type { Actions } from "./runs/actions";

const TOOL = "codeens_improve";
const PARTICIPANT = "codeens.codeens";

/** The part of the API that is newer than the oldest editor this extension runs in. */
interface NewerApi {
  readonly lm?: { registerTool?(name: string, tool: object): vscode.Disposable };
  readonly chat?: { createChatParticipant?: typeof vscode.chat.createChatParticipant };
  readonly LanguageModelToolResult?: new (parts: readonly unknown[]) => unknown;
  readonly LanguageModelTextPart?: new (text: string) => unknown;
}

/** Editors without chats, or whose API throws, go without. */
export function registerChat(actions: Actions, log: vscode.LogOutputChannel): vscode.Disposable {
  const registered: vscode.Disposable[] = [];
  for (const register of [registerTool, registerParticipant]) {
    try {
      registered.push(...register(actions));
    } catch (error) {
      log.info(`nothing is registered for chats: ${error}`);
    }
  }
  return vscode.Disposable.from(...registered);
}

function registerTool(actions: Actions): vscode.Disposable[] {
  const { lm, LanguageModelToolResult: Result, LanguageModelTextPart: Text } = vscode as unknown as NewerApi;
  if (lm?.registerTool === undefined || Result === undefined || Text === undefined) {
    return [];
  }
  const tool = {
    prepareInvocation: ({ input }: { readonly input: ToolInput }) => ({
      invocationMessage: `Running an ensemble on ${input.function}`,
      confirmationMessages: {
        title: "Run an ensemble?",
        message: `codeens asks models for other versions of \`${input.function}\`, runs them in a sandbox and measures them.`,
      },
    }),
    invoke: async ({ input }: { readonly input: ToolInput }, token: vscode.CancellationToken) => {
      const { file, ...how } = input;
      return new Result([new Text(await actions.report({ uri: uriOf(file).toString(), ...how }, token))]);
    },
  };
  return [lm.registerTool(TOOL, tool)];
}

function registerParticipant(actions: Actions): vscode.Disposable[] {
  const { chat } = vscode as unknown as NewerApi;
  if (chat?.createChatParticipant === undefined) {
    return [];
  }
  const participant = chat.createChatParticipant(PARTICIPANT, async (request, _context, stream, token) => {
    const asked = placeOf(request.prompt);
    if (asked === undefined) {
      stream.markdown(
        "Name a function, as `path/file.py::function`, or put the cursor into one and ask again.",
      );
      return;
    }
    stream.progress("Other versions are made, run in a sandbox, measured and ranked…");
    const goal = goalOf(request.command);
    stream.markdown(await actions.report({ ...asked, ...(goal ? { goal } : {}) }, token));
    stream.button({ command: "codeens.showResults", title: "Show Results" });
  });
  participant.iconPath = new vscode.ThemeIcon("beaker");
  return [participant];
}

/** The function that a message names, else the one around the cursor. */
function placeOf(prompt: string): Asked | undefined {
  const named = targetOf(prompt);
  if (named) {
    return { uri: uriOf(named.file).toString(), function: named.function };
  }
  const editor = vscode.window.activeTextEditor;
  return editor?.document.languageId === "python"
    ? { uri: editor.document.uri.toString(), line: editor.selection.active.line }
    : undefined;
}

function uriOf(file: string): vscode.Uri {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri;
  return folder && !file.startsWith("/") ? vscode.Uri.joinPath(folder, file) : vscode.Uri.file(file);
}
