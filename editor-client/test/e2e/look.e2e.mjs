// The results as they look and work: table, sliders, keyboard, themes. The README's pictures come from here.

import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "./editor.mjs";
import { until } from "./processes.mjs";
import { scene } from "./scene.mjs";
import { LOOKS, PICTURES, RUN_WITHIN_MS } from "./workbench.mjs";

const workspace = join(REPOSITORY, "examples/shop");
const LEAST_TABLE = 865;

scene(
  "results are ranked by sliders, worked by keys, and readable in every theme",
  { workspace, settings: { "codeens.editor.lensBeforeRun": true } },
  async (bench) => {
    await bench.open("orders.py");
    await bench.server();
    await bench.lens("codeens: improve");
    await bench.contextMenu("def repeat_customers");
    await bench.submenu();
    await bench.picture("menu");
    await bench.choose("Run Ensemble on Function");
    await bench.results.locator(".candidate").first().waitFor({ timeout: RUN_WITHIN_MS });
    await bench.picture("running");
    await bench.runDone();
    await bench.lens("best");
    await bench.picture("results");

    await weigh(bench);
    await byKeys(bench);
    await sort(bench);
    await narrow(bench);
    await bench.command("codeens: Open Results in Editor");
    await bench.page.locator(".tab.active", { hasText: "codeens: Results" }).waitFor();
    await bench.command("View: Toggle Primary Side Bar Visibility");
    await bench.page.locator(".part.sidebar").waitFor({ state: "hidden" });
    await bench.results.locator("svg.points text", { hasText: /^0/ }).waitFor();
    for (const name of Object.keys(LOOKS)) {
      await bench.look(name);
      await bench.screenshot(PICTURES, `table-${name}`);
    }
    await tableFits(bench);
    await bench.look("light");
    await settings(bench);
  },
);

async function weigh({ results }) {
  const first = () => results.locator(".candidate").nth(1).getAttribute("data-key");
  await results.locator("details.weights summary").click();
  await results.getByLabel("Goal").selectOption("speed");
  await until(
    "it is ranked for speed",
    async () => (await results.locator("details.weights .detail").textContent()) === "speed",
  );
  await results.locator(".metric.better .word", { hasText: "faster" }).first().waitFor();
  await results.locator(".bar .one").first().waitFor();
  const fastest = await first();
  for (const part of ["Readability", "Speed", "Memory"]) {
    await results.getByLabel(part, { exact: true }).fill("0");
  }
  await until(
    "the smallest change of all that are right stands first",
    async () => (await first()) !== fastest,
  );
  assert.match(await results.locator("output").first().textContent(), /^100 %$/);
  assert.equal(await results.locator("details.weights .detail").textContent(), "custom");
}

/** By a heading, the other way round, and back to the ranking. */
async function sort({ results }) {
  const header = results.locator(".row.header .of-memory");
  assert.match(
    await header.getAttribute("title"),
    /allocates/,
    "what a heading means is said where the pointer rests",
  );
  for (const [sign, groups] of [
    [" ↓", 0],
    [" ↑", 0],
    ["", 1],
  ]) {
    await header.getByRole("button").click();
    await until(
      "it is sorted",
      async () =>
        (await header.textContent()) === `Memory${sign}` &&
        Math.min(await results.locator(".row.group").count(), 1) === groups,
    );
  }
}

/** As narrow as a side bar can be: all is there, and nothing is cut off. */
async function narrow(bench) {
  const { page, results } = bench;
  const body = results.locator("body");
  const sash = await drawnSash(page, (await page.locator(".part.sidebar").boundingBox()).width - 182);
  await until("the view is narrow", async () => (await body.evaluate((each) => each.clientWidth)) < 200);
  assert.equal(await body.evaluate((each) => each.scrollWidth - each.clientWidth), 0);
  await bench.picture("narrow");
  await sash.back();
}

/** As narrow as a table can be: nothing runs over its edge. */
async function tableFits({ page, results }) {
  const body = results.locator("body");
  const size = page.viewportSize();
  const { width } = await body.boundingBox();
  await page.setViewportSize({ width: Math.ceil(size.width - width + LEAST_TABLE), height: size.height });
  await until("it is narrower", async () => (await body.boundingBox()).width < LEAST_TABLE + 5);
  const table = results.locator(".table");
  assert.equal(await table.evaluate((each) => getComputedStyle(each).display), "grid");
  assert.equal(await table.evaluate((each) => each.scrollWidth - each.clientWidth), 0);
}

/** What is not set is said in words, and every setting of a run is there. */
async function settings(bench) {
  const { page } = bench;
  await page.keyboard.press("Control+,");
  const editor = page.locator(".settings-editor");
  await editor.locator(".suggest-input-container").click();
  await page.keyboard.type("@ext:codeens.codeens");
  const items = editor.locator(".settings-tree-container");
  await items.locator(".setting-item-label", { hasText: "Goal" }).waitFor();
  await items.locator("select").first().waitFor();
  await bench.picture("settings");
  const chosen = await items
    .locator("select")
    .evaluateAll((all) => all.map((each) => each.selectedOptions[0].text));
  assert.equal(chosen[0], "as codeens.toml says");
  assert.doesNotMatch([await items.innerText(), ...chosen].join("\n"), /\bnull\b/);
}

/** Makes the side bar narrower by its edge. */
async function drawnSash(page, by) {
  const { x, width, y } = await page.locator(".part.sidebar").boundingBox();
  const drag = async (from, to) => {
    await page.mouse.move(from, y + 200);
    await page.mouse.down();
    await page.mouse.move(to, y + 200, { steps: 5 });
    await page.mouse.up();
  };
  await drag(x + width, x + width - by);
  return { back: () => drag(x + width - by, x + width) };
}

async function byKeys({ page, results }) {
  await results.locator("[role=treegrid] [tabindex='0']").first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("w");
  await results.locator(".row.why").waitFor();
  const row = results.locator(".candidate[aria-selected='true']");
  assert.match(await row.getAttribute("aria-label"), /rank 1; offline · .*passed/);
  await page.keyboard.press("Enter");
  await page.locator(".monaco-diff-editor .line-insert").first().waitFor();
}
