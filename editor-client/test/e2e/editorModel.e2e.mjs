// The editor's own language model makes a candidate, after the user consented; and its chat answers with a run's table.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { CLIENT, QUICK, REPOSITORY } from "./editor.mjs";
import { scene } from "./scene.mjs";
import { RUN_WITHIN_MS } from "./workbench.mjs";

const PACKED = join(CLIENT, "out/test-model.vsix");
const options = () => ({
  workspace: join(REPOSITORY, "examples/shop"),
  settings: {
    ...QUICK,
    "chat.disableAIFeatures": false,
    "codeens.variants": ["baseline"],
    "codeens.rewrites": "never",
  },
  extensions: [packed()],
});

/** The extension that gives the editor a model. */
function packed() {
  const vsce = join(CLIENT, "node_modules/.bin/vsce");
  const args = [
    "package",
    "--no-dependencies",
    "--allow-missing-repository",
    "--skip-license",
    "--out",
    PACKED,
  ];
  const ended = spawnSync(vsce, args, { cwd: join(CLIENT, "test/e2e/model-extension"), encoding: "utf8" });
  assert.equal(ended.status, 0, ended.stderr);
  return PACKED;
}

scene("the editor's own model answers, when the user allows it", options, async (bench) => {
  await bench.open("orders.py");
  await bench.server();
  await bench.contextMenu("def repeat_customers");
  await bench.choose("Run Ensemble on Function");
  const consent = bench.page.locator(".monaco-dialog-box", { hasText: "Let codeens use Test Model" });
  await consent.waitFor();
  await bench.picture("consent");
  await consent.getByRole("button", { name: "Allow" }).click();
  await bench.runDone();
  const row = bench.results.locator(".candidate:not(.original)").first();
  assert.match(await row.getAttribute("aria-label"), /editor · baseline; .*passed/);
  await bench.picture("editor-model");
  await chat(bench);
});

/** No account is needed where an extension brings the model. */
async function chat(bench) {
  const { page } = bench;
  await bench.command("Chat: Open Chat");
  const input = page.locator(".interactive-input-part");
  await input.getByText("Test Model").waitFor();
  await input.locator(".monaco-editor").first().click();
  await page.keyboard.type("@codeens /readability orders.py::repeat_customers ");
  await page.keyboard.press("Enter");
  const answer = page.locator(".interactive-response").last();
  await answer.getByText("Other versions are made, run in a sandbox").waitFor();
  await answer.locator("td", { hasText: "original" }).first().waitFor({ timeout: RUN_WITHIN_MS });
  await answer.getByRole("button", { name: "Show Results" }).waitFor();
  await bench.picture("chat");
  await bench.results.locator("details.weights summary", { hasText: "readability" }).waitFor();
  assert.match(await answer.locator("table").first().innerText(), /editor · baseline.*passed/);
}
