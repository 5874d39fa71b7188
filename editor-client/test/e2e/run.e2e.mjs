// The whole way on a function of a real package: run, watch, compare, weigh, apply, undo.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { descendants, until } from "./processes.mjs";
import { realPackage } from "./realPackage.mjs";
import { scene } from "./scene.mjs";

const FILE = "inflection/__init__.py";
const TAB = "__init__.py";
const SERVER = "codeens._scripts.server";

scene(
  "a function is run, compared, applied, and one undo brings its file back",
  () => ({ workspace: realPackage() }),
  async (bench, editor) => {
    const { page } = bench;
    const onDisk = () => readFileSync(join(editor.workspace, FILE));
    const original = onDisk();
    await run(bench, original.toString().split("\n"));
    await bench.runDone();
    await bench.picture("real-package-results");

    const first = bench.results.locator(".candidate:not(.original)").first();
    await first.locator(".name").click();
    await page
      .locator(".monaco-diff-editor .line-insert, .monaco-diff-editor .line-delete")
      .first()
      .waitFor();
    await bench.picture("real-package-diff");

    await page.getByRole("button", { name: "Apply This Version" }).first().click();
    await page.locator(".tab.active.dirty", { hasText: TAB }).waitFor();
    await page.keyboard.press("Control+s");
    await until("the file is written", () => !onDisk().equals(original));
    await bench.lens("codeens: applied");
    const marks = page.locator(".margin-view-overlays [class*='ced-'][class*='gutter'], .cgmr");
    const isProven = (await marks.count()) > 0;
    await bench.picture("real-package-applied");
    // An undo while the editor still saves would leave it believing that nothing is changed.
    await page.locator(".tab.active:not(.dirty)", { hasText: TAB }).waitFor();

    await page.keyboard.press("Control+z");
    await page.locator(".tab.active.dirty", { hasText: TAB }).waitFor();
    await page.keyboard.press("Control+s");
    await until("the file is as it was", () => onDisk().equals(original));
    assert.deepEqual(onDisk(), original);
    await bench.lens("apply");
    assert.ok(isProven, "a proven change is marked");
    assert.equal(await marks.count(), 0, "and no more after the next edit");

    const [server] = descendants(editor.pid, SERVER);
    process.kill(server.pid, "SIGKILL");
    const told = bench.notification("was started again").first();
    await told.waitFor();
    assert.doesNotMatch(await told.textContent(), /is lost/, "nothing was under way");
    await bench.server();
    await bench.lens("apply");

    await page.reload();
    await bench.lens("apply");
    await bench.command("codeens: Show Results");
    await bench.results.locator(".history", { hasText: "Runs of this workspace" }).waitFor();
    await bench.picture("history");
    await bench.results.locator("button.earlier", { hasText: "camelize" }).click();
    await bench.runDone();
  },
);

async function run(bench, lines) {
  await bench.open(TAB);
  await bench.goToLine(lines.findIndex((line) => line.startsWith("def camelize")) + 1);
  await bench.server();
  await bench.contextMenu("def camelize");
  await bench.submenu();
  await bench.picture("real-package-menu");
  await bench.choose("Run Ensemble on Function");
  await bench.page.getByRole("button", { name: /^codeens: Running on camelize.*\d:\d\d/ }).waitFor();
  assert.equal(await bench.page.locator(".notification-toast").count(), 0);
  await bench.picture("real-package-progress");
}
