// Runs that are cancelled end at once and keep what was found: of a notebook's cell, and of what the profiler found slow.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";
import { RUN_WITHIN_MS } from "./workbench.mjs";

const SANDBOXED = "codeens_worker";

const workspace = words();
after(() => rmSync(workspace, { recursive: true }));

/** Two functions that take their time, in a file with its tests, and the first of them in a cell. */
function words() {
  const folder = mkdtempSync(join(tmpdir(), "codeens-words-"));
  const first = [
    "def repeated(words: list[str]) -> list[str]:",
    '    """Return the words that were there before.',
    "",
    '    >>> repeated(["a", "b", "a"])',
    "    ['a']",
    '    """',
    "    seen = []",
    "    found = []",
    "    for word in words:",
    "        if word in seen:",
    "            found.append(word)",
    "        seen.append(word)",
    "    return found",
  ].join("\n");
  const second = first
    .replaceAll("repeated", "distinct")
    .replace("that were there before", "once each")
    .replace("['a']", "['a', 'b']")
    .replace("word in seen", "word not in found");
  const test = [
    "from words import distinct, repeated",
    "",
    'WORDS = [f"w{number % 6000}" for number in range(12000)]',
    "",
    "",
    "def test_repeated():",
    "    assert len(repeated(WORDS)) == 6000",
    "",
    "",
    "def test_distinct():",
    "    assert len(distinct(WORDS)) == 6000",
  ].join("\n");
  const cells = ["import math\n", first].map((source) => ({
    cell_type: "code",
    source,
    metadata: {},
    outputs: [],
    execution_count: null,
  }));
  const notebook = { cells, metadata: { language_info: { name: "python" } }, nbformat: 4, nbformat_minor: 4 };
  writeFileSync(join(folder, "words.py"), `${first}\n\n\n${second}\n`);
  writeFileSync(join(folder, "test_words.py"), `${test}\n`);
  writeFileSync(join(folder, "words.ipynb"), JSON.stringify(notebook));
  writeFileSync(join(folder, "pyproject.toml"), "");
  return folder;
}

/** A thorough run races for minutes: it does not end by itself before it is cancelled, however slow the machine is. */
const settings = { "codeens.effort": "thorough", "codeens.maxInputs": 20, "codeens.maxMutants": 2 };

scene("cancelling ends every sandbox at once", { workspace, settings }, async (bench, editor) => {
  const inSandboxes = () => descendants(editor.pid, SANDBOXED).length;
  await cell(bench, inSandboxes);
  await slow(bench, inSandboxes);
});

/** By the palette, in a notebook. */
async function cell(bench, inSandboxes) {
  const { page, results } = bench;
  await bench.open("words.ipynb");
  await bench.server();
  await page.locator(".view-line", { hasText: "def repeated" }).first().click();
  await bench.command("codeens: Run Ensemble on Function");
  await results.locator(".candidate").first().waitFor({ timeout: RUN_WITHIN_MS });
  await results.locator(".file", { hasText: "words.ipynb · cell 2" }).waitFor();
  await until("something runs in a sandbox", () => inSandboxes() > 0);

  // The header is drawn anew with each event of the run, so that it never rests, but not while the button is pressed.
  await results.locator("header").getByRole("button", { name: "Cancel" }).click({ force: true, delay: 500 });
  await until("no sandbox is left", () => inSandboxes() === 0);
  await results.locator("section.run:not(.running)").waitFor();
  await bench.lens("(cancelled)");
  await bench.picture("cancelled");
  assert.match(await results.locator("section.run").textContent(), /cancelled/);
  assert.equal(inSandboxes(), 0);
}

/** What is chosen of what is slow is run one after the other. */
async function slow(bench, inSandboxes) {
  const { page, results } = bench;
  await bench.open("words.py");
  await bench.command("codeens: Find What Is Slow Here");
  const list = page.locator(".quick-input-list .monaco-list-row");
  await list.filter({ hasText: "distinct" }).waitFor({ timeout: RUN_WITHIN_MS });
  await page
    .locator(".quick-input-title", { hasText: "where the time of pytest test_words.py goes" })
    .waitFor();
  await bench.picture("slow");
  const unchecked = list.filter({
    has: page.locator("[role=checkbox][aria-checked=false], input:not(:checked)"),
  });
  await list.filter({ hasText: "repeated" }).waitFor();
  assert.equal(await unchecked.count(), 1, "the one that takes longest is chosen already");
  await unchecked.click();
  await page.getByRole("button", { name: "OK" }).click();

  await page
    .getByRole("button", { name: /^codeens: Running on (distinct|repeated).*1 more waiting/ })
    .waitFor();
  await results.locator(".queued").waitFor();
  await bench.picture("queue");
  await bench.command("codeens: Cancel Runs");
  await until("no sandbox is left", () => inSandboxes() === 0);
  await page.getByRole("button", { name: /^codeens: \d runs in this window/ }).waitFor();
}
