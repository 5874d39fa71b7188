// A person with a browser: opens the printed address, starts a run, watches it, and looks at what came of it.
// node browser.mjs TOOLS_FOLDER CHROMIUM URL TARGET PICTURES; prints what was seen as one JSON document.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";

const [tools, executablePath, url, target, pictures] = process.argv.slice(2);
const require = createRequire(path.join(tools, "package.json"));
const { chromium } = require("playwright-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const faults = [];
const violations = [];

async function look(page, name) {
  await page.evaluate(axe);
  const found = await page.evaluate(() => globalThis.axe.run(document));
  for (const each of found.violations.filter(({ impact }) => ["serious", "critical"].includes(impact)))
    violations.push(`${name}: ${each.id}: ${each.nodes.map((node) => node.html.slice(0, 120)).join(" | ")}`);
  for (const [scheme, width] of [["light", 1280], ["dark", 1280], ["light", 390], ["dark", 1920]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    await page.waitForFunction(() => [...document.querySelectorAll(".chart")].every((chart) => (chart.querySelector(".main-svg")?.clientWidth ?? 0) === chart.clientWidth));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    if (wide > 0) faults.push(`${name} is ${wide} px wider than a window of ${width}`);
    await page.screenshot({ path: path.join(pictures, `${name}-${scheme}-${width}.png`), fullPage: true });
  }
  await page.emulateMedia({ colorScheme: "light" });
  await page.setViewportSize({ width: 1280, height: 900 });
}

async function opened() {
  const page = await (await browser.newContext()).newPage();
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.setDefaultTimeout(90_000);
  await page.goto(url);
  return page;
}

try {
  const seen = {};
  const page = await opened();
  seen.address = page.url();
  await page.locator("summary", { hasText: "Start a run" }).click();
  const form = page.locator("#start");
  await form.locator("[name=target]").fill("nothing.py::f");
  await form.getByRole("button", { name: "Start" }).click();
  await form.locator(".said:not(:empty)").waitFor();
  seen.refused = await form.locator(".said").textContent();
  faults.length = 0; // the browser tells of the refused request too
  await form.locator("[name=target]").fill(target);
  await form.locator("[name=effort]").selectOption("quick");
  await form.getByRole("button", { name: "Start" }).click();
  await page.waitForURL(/runs\//);
  seen.run = page.url().split("/").pop();
  await page.evaluate(() => (globalThis.wasNotLoadedAgain = true));

  const other = await opened();
  await other.goto(page.url());
  await page.locator("tr.best .badge").waitFor();
  await other.locator("tr.best .badge").waitFor();
  seen.live = await page.evaluate(() => globalThis.wasNotLoadedAgain === true);
  seen.headline = await page.locator(".headline").textContent();
  seen.both = seen.headline === (await other.locator(".headline").textContent());
  await look(page, "run");

  const places = () => page.locator("tr[data-row] .place").allTextContents();
  seen.before = await places();
  await page.locator("#weight-speed").fill("0");
  await page.locator("#weight-quality").fill("3");
  seen.after = await places();
  await page.reload();
  seen.reloaded = await page.locator(".headline").textContent();

  await page.locator("#time").fill("2");
  await page.locator("#time").dispatchEvent("change");
  await page.waitForURL(/at=2/);
  seen.then = await page.locator(".then").textContent();
  await page.goBack();

  await page.getByRole("link", { name: /^diff of/ }).first().click();
  await page.locator(".beside").waitFor();
  seen.diff = await page.locator(".beside").innerText();
  await look(page, "diff");
  for (const name of ["Activity", "Your ensemble", "Leaderboard", "Costs", "Compare", "Benchmarks", "Variants", "Settings", "Runs"]) {
    await page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name }).click();
    await page.locator(`nav a[aria-current]`, { hasText: name }).waitFor();
    if (["Leaderboard", "Costs"].includes(name)) await page.locator(".chart .main-svg").first().waitFor();
    await look(page, name.toLowerCase().replace(" ", "-"));
  }
  await page.goto(`${new URL(url).origin}/runs/${seen.run}`);
  await page.pdf({ path: path.join(pictures, "run.pdf"), format: "A4" });
  await page.goto(new URL(url).origin);
  await page.locator("[name=text]").fill("no such function");
  await page.keyboard.press("Enter");
  await page.getByText("No run is like that.").waitFor();
  process.stdout.write(JSON.stringify({ ...seen, faults, violations }));
} catch (error) {
  for (const page of browser.contexts().flatMap((context) => context.pages()))
    process.stderr.write(`${page.url()}\n${await page.locator("body").innerText()}\n`);
  throw error;
} finally {
  await browser.close();
}
