// Choosing whom to ask and what counts, from lists: for one run, or for all to come.

import * as vscode from "vscode";
import { hasEditorModel } from "./editorModel";
import type { Goal, KnownModel, KnownModels, SlowPlace, SlowPlaces } from "./protocol";

const GROUPS: Readonly<Record<KnownModel["group"], string>> = {
  configured: "Configured",
  local: "Servers on this machine",
  provider: "Providers",
};

interface ModelItem extends vscode.QuickPickItem {
  readonly model?: KnownModel;
}

/** The goals, in the words of the setting. */
export async function pickGoal(manifest: unknown, now: Goal): Promise<Goal | undefined> {
  const goal = settingOf(manifest, "codeens.goal");
  const items = goal.enum.flatMap((name, at) =>
    name === null ? [] : [{ label: name, detail: goal.enumDescriptions[at] ?? "", picked: name === now }],
  );
  items.sort((left, right) => Number(right.picked) - Number(left.picked));
  const chosen = await vscode.window.showQuickPick(items, {
    title: "codeens: Goal",
    placeHolder: `What does better mean? Now: ${now}`,
  });
  return chosen?.label as Goal | undefined;
}

/** The names of those chosen; undefined where nothing was. */
export async function pickModels(known: KnownModels): Promise<readonly KnownModel[] | undefined> {
  const items: ModelItem[] = [];
  for (const [group, title] of Object.entries(GROUPS)) {
    const models = known.models.filter((model) => model.group === group);
    items.push(...separated(title, models.map(itemOf)));
  }
  items.push(...separated("Of this editor", (await modelsOfEditor()).map(itemOf)));
  const chosen = await vscode.window.showQuickPick(items, {
    title: "codeens: Models",
    placeHolder: "Who is asked? None: whoever can be",
    canPickMany: true,
    matchOnDescription: true,
  });
  return chosen?.flatMap((item) => item.model ?? []);
}

/** Keeps a choice in the settings; a server on this machine is configured with its address. */
export async function keepModels(chosen: readonly KnownModel[], known: KnownModels): Promise<void> {
  const fresh = chosen.filter((model) => model.group === "local");
  if (fresh.length > 0) {
    const configured = known.models.filter((model) => model.group === "configured");
    await update(
      "models",
      [...configured, ...fresh].map((model) => model.setting),
    );
  }
  await update("defaultModels", chosen.length > 0 ? chosen.map((model) => model.name) : undefined);
}

/** Those of the functions found that are to be run on. */
export async function pickSlow(found: SlowPlaces): Promise<readonly SlowPlace[]> {
  const ended = found.ended ? ` (${found.ended})` : "";
  if (found.functions.length === 0) {
    void vscode.window.showInformationMessage(
      `codeens: ${found.program} spends no time in functions of it that could be improved${ended}.`,
    );
    return [];
  }
  const items = found.functions.map((place, at) => ({
    label: place.function,
    description: place.text,
    detail: `line ${place.line + 1}`,
    picked: at === 0,
    place,
  }));
  const chosen = await vscode.window.showQuickPick(items, {
    title: `codeens: where the time of ${found.program} goes${ended}`,
    placeHolder: "Which are to be made faster? They run one after the other.",
    canPickMany: true,
  });
  return chosen?.map((item) => item.place) ?? [];
}

export function keepGoal(goal: Goal): Thenable<void> {
  return update("goal", goal);
}

/** Where the setting is set already, else for the user. */
function update(name: string, value: unknown): Thenable<void> {
  const settings = vscode.workspace.getConfiguration("codeens");
  const isOfWorkspace = settings.inspect(name)?.workspaceValue !== undefined;
  return settings.update(name, value, isOfWorkspace ? undefined : vscode.ConfigurationTarget.Global);
}

async function modelsOfEditor(): Promise<KnownModel[]> {
  if (!(await hasEditorModel())) {
    return [];
  }
  const chosen = vscode.workspace.getConfiguration("codeens").get<string[] | null>("defaultModels") ?? [];
  return (await vscode.lm.selectChatModels()).map((model) => ({
    name: `editor/${model.id}`,
    group: "provider",
    detail: `${model.name} (${model.vendor})`,
    isChosen: chosen.includes(`editor/${model.id}`),
    lacksKey: false,
    setting: null,
  }));
}

function itemOf(model: KnownModel): ModelItem {
  return {
    label: `${model.lacksKey ? "$(key) " : ""}${model.name}`,
    description: model.detail,
    picked: model.isChosen,
    model,
  };
}

function separated(title: string, items: readonly ModelItem[]): ModelItem[] {
  return items.length ? [{ label: title, kind: vscode.QuickPickItemKind.Separator }, ...items] : [];
}

interface EnumSetting {
  readonly enum: readonly (string | null)[];
  readonly enumDescriptions: readonly string[];
}

function settingOf(manifest: unknown, name: string): EnumSetting {
  const groups = (
    manifest as { contributes: { configuration: { properties: Record<string, EnumSetting> }[] } }
  ).contributes.configuration;
  const found = groups.flatMap((group) => group.properties[name] ?? [])[0];
  return found ?? { enum: [], enumDescriptions: [] };
}
