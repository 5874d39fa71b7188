// Plays what the README's recording shows, in a real editor, and keeps a frame of each step with how long it is shown.

import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT, REPOSITORY, startEditor } from "../e2e/editor.mjs";
import { openWorkbench, RUN_WITHIN_MS } from "../e2e/workbench.mjs";

const FOLDER = join(CLIENT, "out/recording");
const SIZE = { width: 1080, height: 640 };
const READ_MS = 1800;
const GLANCE_MS = 700;

const shown = [];

async function frame({ page }, milliseconds) {
  const name = `${String(shown.length).padStart(3, "0")}.png`;
  await page.screenshot({ path: join(FOLDER, name), animations: "disabled" });
  shown.push({ name, milliseconds });
}

/** What a run says of itself, but for the time: what stands still is shown once. */
async function progress({ results }) {
  const texts = await results.locator("section.run > div").allInnerTexts();
  return texts.join("\n").replaceAll(/\d+:\d\d.*/g, "");
}

async function play(bench) {
  await bench.open("orders.py");
  await bench.server();
  await frame(bench, READ_MS);
  await bench.contextMenu("def repeat_customers");
  await bench.submenu();
  await frame(bench, READ_MS);
  await bench.choose("Run Ensemble on Function");
  await bench.results.locator(".candidate").first().waitFor({ timeout: RUN_WITHIN_MS });
  const done = bench.runDone().then(() => true);
  let last = "";
  while (!(await Promise.race([done, bench.page.waitForTimeout(500)]))) {
    const said = await progress(bench);
    if (said !== last) {
      await frame(bench, GLANCE_MS);
    }
    last = said;
  }
  await bench.lens("best");
  await frame(bench, 2 * READ_MS);
  await bench.results.locator(".candidate:not(.original)").first().locator(".name").click();
  await bench.page.locator(".monaco-diff-editor .line-insert").first().waitFor();
  await frame(bench, 2 * READ_MS);
  await bench.page.getByRole("button", { name: "Apply This Version" }).first().click();
  await bench.page.locator(".tab.active.dirty", { hasText: "orders.py" }).waitFor();
  await bench.lens("codeens: applied");
  await frame(bench, 2 * READ_MS);
  await bench.page.keyboard.press("Control+z");
  await bench.lens("apply");
  await frame(bench, READ_MS);
}

rmSync(FOLDER, { recursive: true, force: true });
mkdirSync(FOLDER, { recursive: true });
const editor = await startEditor({ workspace: join(REPOSITORY, "examples/shop") });
try {
  const bench = await openWorkbench(editor.url, SIZE);
  try {
    await play(bench);
    writeFileSync(join(FOLDER, "frames.json"), JSON.stringify(shown));
  } finally {
    await bench.close();
  }
} finally {
  await editor.stop();
}
