// Where candidates differ: the user says what is right, it becomes a test, and everybody is held to it.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { startModel } from "./model.mjs";
import { until } from "./processes.mjs";
import { scene } from "./scene.mjs";
import { RUN_WITHIN_MS } from "./workbench.mjs";

const HEAD =
  'def initials(name: str) -> str:\n    """The first letters of the words of a name, as capitals.\n\n    >>> initials("ada lovelace")\n    \'AL\'\n    """\n';
const ANSWERS = [
  `${HEAD}    return "".join(word[0] for word in name.split()).upper()`,
  `${HEAD}    return "".join(word[:1] for word in name.split(" ")).upper()`,
  `${HEAD}    words = name.title().split()\n    return "".join(word[0] for word in words)`,
];

const model = await startModel(ANSWERS, { refuses: "refused" });
after(() => model.stop());

const workspace = names();
after(() => rmSync(workspace, { recursive: true }));

function names() {
  const folder = mkdtempSync(join(tmpdir(), "codeens-names-"));
  writeFileSync(join(folder, "names.py"), `"""Names of people."""\n\n\n${HEAD}    ...\n`);
  writeFileSync(join(folder, "pyproject.toml"), '[project]\nname = "names"\nversion = "0"\n');
  return folder;
}

const settings = {
  "codeens.models": [
    {
      name: "local",
      model: "openai/local",
      apiBase: model.base,
      inputCostPerToken: 0.000001,
      outputCostPerToken: 0.000004,
    },
    { name: "refused", model: "openai/refused", apiBase: model.base },
  ],
  "codeens.variants": ["baseline", "performance", "super_readable"],
};

scene(
  "an input on which candidates differ is kept as a test",
  { workspace, settings },
  async (bench, editor) => {
    await bench.open("names.py");
    await bench.server();
    await bench.lightBulb("def initials", "Implement `initials`");
    await bench.runDone();
    await failureIsMended(bench);
    await bench.lens(/\d passed · .* · 1 model failed/);
    await choicesAreKept(bench, join(editor.data, "User/settings.json"));
    await bench.results.getByText("Where candidates differ").scrollIntoViewIfNeeded();
    await bench.picture("differences");

    await bench.results
      .getByRole("button", { name: /is right; keep it as a test/ })
      .first()
      .click();
    await bench.page.locator(".tab.active", { hasText: "test_" }).waitFor({ timeout: RUN_WITHIN_MS });
    await bench.runDone();
    await bench.picture("pinned");
    const test = join(editor.workspace, "test_names.py");
    await bench.page.keyboard.press("Control+s");
    await until("the test is written", () => written(test).includes("initials("));
    assert.match(written(test), /def test_/);
    await rejectedIsShown(bench);
  },
);

async function failureIsMended(bench) {
  const { page, results } = bench;
  const why = "refused: the key was refused";
  // First of all: the editor takes it away after a while.
  await bench.notification("1 of 2 models failed").getByRole("button", { name: "Add Key" }).click();
  await page.locator(".quick-input-widget", { hasText: "codeens: API Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await results.locator(".headline", { hasText: `1 of 2 models failed (${why}` }).waitFor();
  await results.locator(".failures", { hasText: why }).getByRole("button", { name: "Add Key" }).waitFor();
}

/** Who is asked and what counts are chosen from lists, and kept in the settings. */
async function choicesAreKept(bench, file) {
  const { page } = bench;
  const kept = () => settingsIn(file);
  await bench.command("codeens: Choose Models");
  const list = page.locator(".quick-input-list");
  await list.getByText("Providers").waitFor();
  await list.locator(".monaco-list-row", { hasText: "refused" }).click();
  await bench.picture("models");
  await page.getByRole("button", { name: "OK" }).click();
  await until("the model is kept", () => kept()["codeens.defaultModels"]?.join() === "local");

  await bench.command("codeens: Choose the Goal");
  await page.locator(".quick-input-widget", { hasText: "codeens: Goal" }).waitFor();
  await bench.picture("goal");
  await list.locator(".monaco-list-row", { hasText: "needs the least memory" }).click();
  await until("the goal is kept", () => kept()["codeens.goal"] === "memory");
}

/** What was wrong stands beside the code that did it; it cannot be applied, and the next version takes its place. */
async function rejectedIsShown(bench) {
  const { page, results } = bench;
  await results.locator(".candidate.failed:not(.original) .name").first().click();
  const title = page.locator(".tab.active .label-name");
  await page.locator(".tab.active", { hasText: ", rejected" }).waitFor();
  assert.equal(await page.getByRole("button", { name: "Apply This Version" }).count(), 0);
  await page.locator(".review-comment", { hasText: "initials(" }).waitFor();
  await bench.picture("rejected");
  const first = await title.textContent();
  await page.getByRole("button", { name: "Next Version" }).click();
  await until("the next version is shown", async () => (await title.textContent()) !== first);
  await page.locator(".tab.active", { hasText: "original ↔" }).waitFor();
  await page.locator(".tab", { hasText: "test_names.py" }).click();
}

/** Those of a file; none in the moment in which the editor writes it. */
function settingsIn(file) {
  try {
    return JSON.parse(written(file));
  } catch {
    return {};
  }
}

function written(file) {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}
