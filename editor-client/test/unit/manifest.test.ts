import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

interface Manifest {
  readonly contributes: {
    readonly commands: readonly { readonly command: string }[];
    readonly configuration: readonly { readonly properties: Record<string, Setting> }[];
    readonly menus: Record<string, readonly { readonly command?: string; readonly when?: string }[]>;
    readonly submenus: readonly { readonly id: string }[];
  };
  readonly capabilities: {
    readonly untrustedWorkspaces: { readonly restrictedConfigurations: readonly string[] };
  };
}

interface Setting {
  readonly type: unknown;
  readonly default?: unknown;
  readonly enum?: readonly (string | null)[];
  readonly enumItemLabels?: readonly string[];
  readonly markdownDescription?: string;
  readonly description?: string;
}

const MANIFEST = JSON.parse(readFileSync("package.json", "utf8")) as Manifest;
const SETTINGS = Object.assign(
  {},
  ...MANIFEST.contributes.configuration.map((group) => group.properties),
) as Record<string, Setting>;

/** The fields of a class of the server, as its source says. */
function fieldsOf(file: string, name: string): string[] {
  const source = readFileSync(file, "utf8");
  const body = source.slice(source.indexOf(`class ${name}(`)).split(/\n(?=class |\S)/)[0] ?? "";
  return [...body.matchAll(/^ {4}(\w+): /gm)].map((match) => match[1] ?? "");
}

function camelCase(name: string): string {
  return name.replaceAll(/_(\w)/g, (_all, letter: string) => letter.toUpperCase());
}

test("every setting of the server is one of the editor, and no other is sent to it", () => {
  const ours = Object.keys(SETTINGS).map((key) => key.slice("codeens.".length));
  const sent = ours.filter((name) => !/^(server|trace|editor)\./.test(name));
  const wanted = fieldsOf("../server/codeens_server/config/settings.py", "Settings").map(camelCase);
  assert.ok(wanted.length > 10);
  assert.deepEqual(sent.sort(), wanted.sort());
});

test("every bound of a sandbox is one of the editor's settings", () => {
  const limits = SETTINGS["codeens.limits"] as unknown as { readonly properties: object };
  const wanted = fieldsOf("../sandbox_backends/codeens_sandbox_backends/jobs.py", "Limits").map(camelCase);
  assert.deepEqual(Object.keys(limits.properties).sort(), wanted.sort());
});

test("no setting of a run has a default that would hide codeens.toml", () => {
  for (const [key, setting] of Object.entries(SETTINGS)) {
    assert.ok(setting.markdownDescription ?? setting.description, key);
    if (!/^codeens\.(server|trace|editor)\./.test(key)) {
      assert.equal(setting.default, null, key);
    }
  }
});

test("what could run code or spend money is not taken from a folder that is not trusted", () => {
  const restricted = MANIFEST.capabilities.untrustedWorkspaces.restrictedConfigurations;
  for (const name of [
    "server.python",
    "python",
    "models",
    "sandbox",
    "scorers",
    "databaseUrl",
    "budgetUsd",
  ]) {
    assert.ok(restricted.includes(`codeens.${name}`), name);
  }
  for (const key of restricted) {
    assert.ok(key in SETTINGS, key);
  }
});

test("menus only name commands that there are", () => {
  const commands = new Set(MANIFEST.contributes.commands.map((each) => each.command));
  const named = Object.values(MANIFEST.contributes.menus).flatMap((items) =>
    items.flatMap((item) => item.command ?? []),
  );
  assert.deepEqual(
    named.filter((command) => !commands.has(command)),
    [],
  );
});

test("what runs a function is in one submenu, and in the palette for cells of notebooks too", () => {
  const { menus, submenus } = MANIFEST.contributes;
  assert.equal(menus["editor/context"]?.length, 1);
  assert.deepEqual(
    submenus.map((each) => each.id),
    ["codeens.menu"],
  );
  const palette = menus["commandPalette"] ?? [];
  for (const { command } of menus["codeens.menu"] ?? []) {
    const item = palette.find((each) => each.command === command);
    // A profile is of a file, and a cell is none.
    const isOfFunction =
      item?.when?.includes("editorLangId == python") && !item.when.includes("resourceScheme == file");
    assert.ok(!isOfFunction || item?.when?.includes("notebookType == 'jupyter-notebook'"), command);
  }
});

test("no choice of a setting is shown as null", () => {
  for (const [key, { enum: values, enumItemLabels: labels }] of Object.entries(SETTINGS)) {
    if (values?.includes(null)) {
      assert.equal(labels?.length, values.length, key);
      assert.ok(!labels.includes("null"), key);
    }
  }
});

test("the repository's address is the one of pyproject.toml wherever it stands", () => {
  const [, address = ""] = /^Repository = "(.+)"$/m.exec(readFileSync("../pyproject.toml", "utf8")) ?? [];
  assert.match(address, /^https:/);
  const name = address.split("/").at(-1);
  const pages = readdirSync("../docs").filter((file) => file.endsWith(".md"));
  const files = ["../pyproject.toml", "package.json", "README.md", "../README.md"];
  for (const file of [...files, ...pages.map((page) => `../docs/${page}`)]) {
    const text = readFileSync(file, "utf8");
    for (const [found] of text.matchAll(new RegExp(`https://git[\\w.-]+/[\\w-]+/${name}(?![\\w-])`, "g"))) {
      assert.equal(found, address, file);
    }
  }
});
