// API keys: kept by the editor's secret storage, given to the server in its environment, and nowhere else.

import * as vscode from "vscode";

const NAMES = "codeens.keys";
const PREFIX = "codeens.key.";
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;
const KNOWN: readonly (readonly [string, string])[] = [
  ["OpenAI", "OPENAI_API_KEY"],
  ["Anthropic", "ANTHROPIC_API_KEY"],
  ["Google Gemini", "GEMINI_API_KEY"],
  ["Mistral", "MISTRAL_API_KEY"],
  ["DeepSeek", "DEEPSEEK_API_KEY"],
  ["Groq", "GROQ_API_KEY"],
  ["xAI", "XAI_API_KEY"],
  ["OpenRouter", "OPENROUTER_API_KEY"],
  ["Daytona (sandbox)", "DAYTONA_API_KEY"],
  ["E2B (sandbox)", "E2B_API_KEY"],
];

export interface Memory {
  readonly globalState: Pick<vscode.Memento, "get" | "update">;
  readonly secrets: Pick<vscode.SecretStorage, "get" | "store" | "delete">;
}

export class Keys {
  constructor(private readonly memory: Memory) {}

  get names(): readonly string[] {
    return this.memory.globalState.get<string[]>(NAMES, []);
  }

  async set(name: string, key: string): Promise<void> {
    await this.memory.secrets.store(PREFIX + name, key);
    await this.memory.globalState.update(NAMES, [...new Set([...this.names, name])].sort());
  }

  async remove(name: string): Promise<void> {
    await this.memory.secrets.delete(PREFIX + name);
    await this.memory.globalState.update(
      NAMES,
      this.names.filter((other) => other !== name),
    );
  }

  /** An environment with the keys in it. */
  async environment(of: NodeJS.ProcessEnv): Promise<NodeJS.ProcessEnv> {
    const environment = { ...of };
    for (const name of this.names) {
      const key = await this.memory.secrets.get(PREFIX + name);
      if (key !== undefined) {
        environment[name] = key;
      }
    }
    return environment;
  }
}

/** Lets the user add, replace and remove keys; true when something changed. */
export async function manageKeys(keys: Keys): Promise<boolean> {
  const name = await chooseName(keys.names);
  if (name === undefined) {
    return false;
  }
  if (keys.names.includes(name)) {
    const remove = { label: "$(trash) Remove the key" };
    const replace = { label: "$(edit) Replace the key" };
    const chosen = await vscode.window.showQuickPick([replace, remove], { title: name });
    if (chosen === remove) {
      await keys.remove(name);
    }
    if (chosen !== replace) {
      return chosen === remove;
    }
  }
  const key = await vscode.window.showInputBox({
    title: `codeens: ${name}`,
    prompt: "Kept in the editor's secret storage, and given only to the server's environment.",
    password: true,
    ignoreFocusOut: true,
    validateInput: (text) => (text.trim() === "" ? "Paste the key." : undefined),
  });
  if (key === undefined) {
    return false;
  }
  await keys.set(name, key.trim());
  return true;
}

async function chooseName(kept: readonly string[]): Promise<string | undefined> {
  const others = kept.filter((name) => !KNOWN.some(([, known]) => known === name));
  const items = [...KNOWN, ...others.map((name) => [name, name] as const)].map(([label, name]) => ({
    label: `$(${kept.includes(name) ? "pass-filled" : "key"}) ${label}`,
    description: kept.includes(name) ? `${name}, kept` : name,
    name,
  }));
  const other = { label: "$(add) Another environment variable…", description: "", name: "" };
  const chosen = await vscode.window.showQuickPick([...items, other], {
    title: "codeens: API Keys",
    placeHolder: "Whose key do you want to add, replace or remove?",
  });
  if (chosen !== other) {
    return chosen?.name;
  }
  return vscode.window.showInputBox({
    title: "codeens: name of the environment variable",
    placeHolder: "AZURE_API_KEY",
    validateInput: (text) =>
      VARIABLE.test(text) ? undefined : "A name has letters, digits and underscores.",
  });
}
