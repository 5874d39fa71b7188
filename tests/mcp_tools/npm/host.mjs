// A host for MCP Apps, as an agent's window is one: shows the view of a run in Chromium, and does what a person would.
// node host.mjs TOOLS_FOLDER CHROMIUM URL TOKEN TARGET CANDIDATES PICTURE: follows a run that finds what to apply, then
// looks at the scores of three candidates; prints what it saw as one JSON document.

import { createRequire } from "node:module";
import path from "node:path";

const [tools, chromiumPath, url, token, target, candidates, picture] = process.argv.slice(2);
const require = createRequire(path.join(tools, "package.json"));
const { Client, StreamableHTTPClientTransport } = require("@modelcontextprotocol/client");
const { chromium } = require("playwright-core");
const esbuild = require("esbuild");

const HOST = `
import { AppBridge, PostMessageTransport } from "@modelcontextprotocol/ext-apps/app-bridge";
window.open_view = async (html, result, width, theme) => {
  const frame = document.createElement("iframe");
  frame.sandbox = "allow-scripts";
  frame.style.cssText = \`width: \${width}px; height: 900px; border: 0\`;
  document.body.append(frame);
  const bridge = new AppBridge(null, { name: "host", version: "1" }, { serverTools: {} }, { hostContext: { theme } });
  bridge.oncalltool = (params) => window.call_tool(params);
  bridge.onsizechange = (size) => { window.size = size; };
  const ready = new Promise((resolve) => { bridge.oninitialized = resolve; });
  await bridge.connect(new PostMessageTransport(frame.contentWindow, frame.contentWindow));
  frame.srcdoc = html;
  await ready;
  await bridge.sendToolInput({ arguments: {} });
  await bridge.sendToolResult(result);
};
`;
const built = await esbuild.build({
  stdin: { contents: HOST, resolveDir: tools },
  bundle: true,
  format: "iife",
  write: false,
  logLevel: "silent",
});

const client = new Client({ name: "host", version: "1" });
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
const calls = [];
const callTool = async (params) => {
  calls.push({ name: params.name, arguments: params.arguments });
  return client.callTool({ name: params.name, arguments: params.arguments });
};

const listed = await client.listTools();
const view = listed.tools.find((tool) => tool.name === "start_ensemble")._meta.ui.resourceUri;
const resource = (await client.readResource({ uri: view })).contents[0];

const look = () => {
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => each.checkVisibility());
  const numbers = (color) => color.match(/[\d.]+/g).slice(0, 3).map(Number);
  const light = (color) => {
    const [r, g, b] = numbers(color).map((part) => part / 255).map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [low, high] = [light(one), light(other)].sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  const ground = getComputedStyle(document.body).backgroundColor;
  const texts = shown("h1, h2, p, td, legend, label, button, pre span").filter((each) => each.textContent.trim());
  return {
    ground: light(ground),
    over: document.documentElement.scrollWidth - innerWidth,
    outside: shown("button, input").filter((each) => each.getBoundingClientRect().right > innerWidth).map((each) => each.textContent),
    empty: shown("fieldset, section, table").filter((each) => each.children.length < 2).length,
    faint: texts.filter((each) => contrast(getComputedStyle(each).color, ground) < 4.5).map((each) => each.textContent),
  };
};

const browser = await chromium.launch({
  executablePath: chromiumPath,
  args: ["--no-sandbox", "--disable-dev-shm-usage"],
});
try {
  const page = await browser.newPage({ viewport: { width: 1040, height: 940 } });
  const faults = [];
  const requests = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  page.on("console", (message) => message.type() === "error" && faults.push(message.text()));
  page.on("request", (request) => requests.push(request.url()));
  await page.exposeFunction("call_tool", callTool);
  const open = async (result, width = 1000, theme = "light") => {
    await page.setContent("<!doctype html><body></body>");
    await page.addScriptTag({ content: built.outputFiles[0].text });
    await page.evaluate((given) => window.open_view(...given), [resource.text, result, width, theme]);
    return page.frames()[1];
  };
  const started = await client.callTool({ name: "start_ensemble", arguments: { target, goal: "speed" } });
  let frame = await open(started);
  const atFirst = await frame.locator("#headline").textContent();
  await frame.locator("tr.best, tr.rejected, #said:not(:empty)").first().waitFor({ timeout: 90_000 });
  const headline = await frame.locator("#headline").textContent();
  const rows = await frame.locator("#rows tbody tr").allTextContents();
  const score = () => frame.locator("#rows tbody tr").nth(1).locator("td").nth(7).textContent();
  const before = await score();
  const slider = frame.locator("#weights input").first();
  await slider.focus();
  await slider.press("End");
  const after = await score();
  await frame.getByRole("button", { name: "diff" }).first().click();
  await frame.locator("#change pre .added").first().waitFor();
  const patch = await frame.locator("#change pre").textContent();
  await frame.getByRole("button", { name: "apply #1" }).click();
  await frame.getByRole("button", { name: "write the file?" }).click();
  await frame.getByText("was written into").waitFor();
  const size = await page.evaluate(() => window.size);

  let scored = await client.callTool({
    name: "score",
    arguments: { target, goal: "speed", candidates: JSON.parse(candidates) },
  });
  while (scored.structuredContent.state === "running") {
    const id = scored.structuredContent.run_id;
    scored = await client.callTool({ name: "get_run", arguments: { id, wait_seconds: 40 } });
  }
  // Whatever was measured here: what reads worse is first, so that weighing has something to turn.
  const { rows: found } = scored.structuredContent.result;
  const quality = (row) => row.score?.parts.quality ?? Infinity;
  found.sort((a, b) => quality(a) - quality(b));
  found.filter((row) => row.rank !== null).forEach((row, index) => { row.number = index + 1; });
  const measured = found.filter((row) => row.speed).length;
  const looks = [];
  for (const width of [380, 800]) {
    for (const theme of ["light", "dark"]) {
      frame = await open(scored, width, theme);
      await frame.locator("#clusters li").first().waitFor();
      await frame.getByRole("button", { name: "diff" }).first().click();
      await frame.locator("#change pre .added").first().waitFor();
      const bars = await frame.locator("td .interval > span").count();
      looks.push({ width, theme, bars, ...(await frame.evaluate(look)) });
      await page.screenshot({ path: picture.replace(".png", `-${width}-${theme}.png`) });
    }
  }
  frame = await open(scored);
  await frame.locator("#clusters li").first().waitFor();
  const clusters = await frame.locator("#clusters > ul > li").allTextContents();
  const order = () => frame.locator("#rows tbody tr td:nth-child(2)").allTextContents();
  const slide = async (name, key) => {
    const slider = frame.locator("#weights label", { hasText: name }).locator("input");
    await slider.focus();
    await slider.press(key);
  };
  const ranked = await order();
  await slide("speed", "Home");
  await slide("efficiency", "Home");
  await slide("quality", "End");
  const reranked = await order();
  await page.screenshot({ path: picture });
  await frame.getByRole("button", { name: "apply #2" }).click();
  await frame.getByRole("button", { name: "write the file?" }).click();
  await frame.getByText("was written into").waitFor();
  console.log(JSON.stringify({
    mime: resource.mimeType, atFirst, headline, rows, before, after, patch, calls, size, faults, requests,
    clusters, ranked, reranked, looks, measured,
  }));
} finally {
  await browser.close();
  await client.close();
}
