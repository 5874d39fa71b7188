// Serves `codeens/generate` with the editor's own language model, once the user allowed it.

import * as vscode from "vscode";
import type { GenerateParams, GenerateResult } from "./protocol";

const ALLOWED = "codeens.allowedModels";
const WHAT =
  "The function that you run codeens on, and the code around it that it uses, are sent to this model through your editor.";

export async function hasEditorModel(): Promise<boolean> {
  const isWanted = vscode.workspace.getConfiguration("codeens.server").get("editorModel") !== "never";
  return isWanted && vscode.lm !== undefined && (await vscode.lm.selectChatModels()).length > 0;
}

export class EditorModel {
  private readonly asked = new Map<string, Promise<boolean>>();

  constructor(private readonly memory: Pick<vscode.Memento, "get" | "update">) {}

  async generate(params: GenerateParams, token: vscode.CancellationToken): Promise<GenerateResult> {
    const model = await chosenModel(params.model);
    if (!(await this.isAllowed(model))) {
      throw new Error(`the use of ${model.name} was not allowed; restart the server to be asked again`);
    }
    const messages = params.messages.map((message) => vscode.LanguageModelChatMessage.User(message.content));
    const options = { justification: WHAT, modelOptions: optionsOf(params) };
    const response = await model.sendRequest(messages, options, token);
    let text = "";
    for await (const piece of response.text) {
      text += piece;
    }
    const counts = await Promise.all(messages.map((message) => model.countTokens(message, token)));
    const tokensIn = counts.reduce((sum, count) => sum + count, 0);
    return { text, tokensIn, tokensOut: await model.countTokens(text, token) };
  }

  /** Who was not allowed may be asked about again. */
  forgetRefusals(): void {
    this.asked.clear();
  }

  /** Asks once for each model, however many answers are wanted of it at the same time. */
  private isAllowed(model: vscode.LanguageModelChat): Promise<boolean> {
    const known = this.asked.get(model.id) ?? this.ask(model);
    this.asked.set(model.id, known);
    return known;
  }

  private async ask(model: vscode.LanguageModelChat): Promise<boolean> {
    const allowed = this.memory.get<string[]>(ALLOWED, []);
    if (allowed.includes(model.id)) {
      return true;
    }
    const title = `Let codeens use ${model.name} (${model.vendor})?`;
    const chosen = await vscode.window.showInformationMessage(title, { modal: true, detail: WHAT }, "Allow");
    if (chosen === "Allow") {
      await this.memory.update(ALLOWED, [...allowed, model.id]);
    }
    return chosen === "Allow";
  }
}

function optionsOf(params: GenerateParams): Record<string, number> {
  const optional = typeof params.topP === "number" ? { top_p: params.topP } : {};
  return { temperature: params.temperature, ...optional };
}

async function chosenModel(name: string | null): Promise<vscode.LanguageModelChat> {
  const models = await vscode.lm.selectChatModels();
  const found =
    name === null ? models[0] : models.find((model) => model.id === name || model.family === name);
  if (found === undefined) {
    const known = models.map((model) => model.id).join(", ") || "none";
    throw new Error(`the editor has no model ${name ?? ""}; it has: ${known}`);
  }
  return found;
}
