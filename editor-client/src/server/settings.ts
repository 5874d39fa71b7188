// The editor's settings for the server: only those that somebody set, so that a default does not hide codeens.toml.

import * as vscode from "vscode";
import { chosenPython } from "./pythonExtension";

export const SECTION = "codeens";
const OF_THE_EXTENSION = new Set(["server", "trace", "editor"]);

/** The names of the server's settings, from the extension's manifest. */
export function settingNames(manifest: unknown): string[] {
  const groups = (manifest as { contributes: { configuration: { properties: object }[] } }).contributes
    .configuration;
  const names = groups
    .flatMap((group) => Object.keys(group.properties))
    .map((key) => key.slice(SECTION.length + 1));
  return names.filter((name) => !OF_THE_EXTENSION.has(name.split(".")[0] ?? ""));
}

export async function settingsFor(names: readonly string[], folder: vscode.Uri | undefined): Promise<object> {
  const section = vscode.workspace.getConfiguration(SECTION, folder ?? null);
  const settings: Record<string, unknown> = {};
  for (const name of names) {
    const found = section.inspect(name);
    const value = found?.workspaceFolderValue ?? found?.workspaceValue ?? found?.globalValue;
    if (value !== undefined && value !== null) {
      settings[name] = value;
    }
  }
  if (settings["python"] === undefined) {
    const python = await chosenPython(folder);
    return python === undefined ? settings : { ...settings, python };
  }
  return settings;
}
