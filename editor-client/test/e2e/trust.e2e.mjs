// Before a folder is trusted nothing of it is run, not even what its settings name.

import assert from "node:assert/strict";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";

const MARK = "was-run";

/** A folder whose settings want a program of its own to be run as Python. */
function hostile() {
  const workspace = mkdtempSync(join(tmpdir(), "codeens-hostile-"));
  mkdirSync(join(workspace, ".vscode"));
  const program = join(workspace, "python.sh");
  writeFileSync(program, `#!/bin/sh\ntouch ${join(workspace, MARK)}\n`);
  chmodSync(program, 0o755);
  writeFileSync(
    join(workspace, ".vscode/settings.json"),
    JSON.stringify({ "codeens.server.python": program }),
  );
  writeFileSync(join(workspace, "code.py"), "def f(x):\n    return x\n");
  return workspace;
}

const workspace = hostile();
after(() => rmSync(workspace, { recursive: true }));
const settings = { "security.workspace.trust.startupPrompt": "never" };

scene("an untrusted folder runs nothing", { workspace, settings, trusts: false }, async (bench, editor) => {
  const { page } = bench;
  await bench.open("code.py");
  await page.getByRole("button", { name: "codeens: Off: this workspace is not trusted" }).waitFor();
  await page.getByRole("button", { name: "codeens: Off" }).click();
  await bench.results.getByText("not trusted").waitFor();
  await bench.contextMenu("def f");
  await page.locator(".monaco-menu .action-label", { hasText: /^Cut$/ }).waitFor();
  assert.equal(await page.locator(".monaco-menu .action-label", { hasText: /^codeens$/ }).count(), 0);
  await page.keyboard.press("Escape");
  await bench.picture("untrusted");
  assert.deepEqual(descendants(editor.pid, "codeens_server"), []);
  assert.equal(existsSync(join(workspace, MARK)), false);

  await bench.results.getByRole("button", { name: "Manage Workspace Trust" }).click();
  await page.locator(".workspace-trust-editor").getByRole("button", { name: "Trust", exact: true }).click();
  await bench.results.getByText("cannot run the server").waitFor();
  await until("the folder's settings count now", () => existsSync(join(workspace, MARK)));
});
