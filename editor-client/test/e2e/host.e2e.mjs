// The tests that run inside the extension host, in the editor's server alone.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { chromium } from "playwright-core";
import { CLIENT, end, freePort, isUp, NODE, PYTHON, QUICK, REPOSITORY } from "./editor.mjs";
import { CHROMIUM } from "./workbench.mjs";

const SERVER = join(CLIENT, "test/e2e/node_modules/code-server/lib/vscode/out/server-main.js");
const TESTS = join(CLIENT, "out/host/index.js");
const ENDED_WITHIN_MS = 900_000;

test("the extension does what it says, as the editor's own API sees it", { timeout: 960_000 }, async () => {
  assert.ok(existsSync(TESTS), "npm test makes what runs inside");
  const folder = mkdtempSync(join(tmpdir(), "codeens-host-"));
  const port = await freePort();
  const child = start(folder, port);
  const address = `http://127.0.0.1:${port}/`;
  let browser;
  try {
    await isUp(address);
    browser = await chromium.launch({
      executablePath: CHROMIUM,
      args: ["--no-sandbox", "--disable-dev-shm-usage"],
    });
    const page = await browser.newPage();
    const said = [];
    const code = await new Promise((ended, late) => {
      setTimeout(
        () => late(new Error(`the tests did not end:\n${said.join("\n")}`)),
        ENDED_WITHIN_MS,
      ).unref();
      page
        .exposeFunction("codeAutomationLog", (_kind, args) =>
          said.push(...args.filter((each) => /Error/.test(each))),
        )
        .then(() => page.exposeFunction("codeAutomationExit", ended))
        .then(() => page.goto(`${address}?${query(port, join(folder, "workspace"))}`))
        .catch(late);
    });
    assert.equal(code, 0, said.join("\n"));
  } finally {
    await browser?.close();
    await end(child);
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});

function start(folder, port) {
  const at = (name) => join(folder, name);
  cpSync(join(REPOSITORY, "examples/shop"), at("workspace"), { recursive: true });
  mkdirSync(at("workspace/.vscode"));
  const settings = { ...QUICK, "codeens.server.python": PYTHON, "files.autoSave": "off" };
  writeFileSync(at("workspace/.vscode/settings.json"), JSON.stringify(settings));
  mkdirSync(at("home"));
  const env = {
    ...process.env,
    HOME: at("home"),
    XDG_DATA_HOME: at("home/data"),
    XDG_CONFIG_HOME: at("home/config"),
  };
  const flags = ["--host", "127.0.0.1", "--port", String(port), "--without-connection-token"];
  const quiet = ["--accept-server-license-terms", "--telemetry-level", "off", "--enable-smoke-test-driver"];
  const folders = [
    "--server-data-dir",
    at("data"),
    "--extensions-dir",
    at("extensions"),
    "--disable-workspace-trust",
  ];
  return spawn(NODE, [SERVER, ...flags, ...quiet, ...folders], { env, detached: true, stdio: "ignore" });
}

function query(port, workspace) {
  const remote = (path) => `vscode-remote://127.0.0.1:${port}${path}`;
  const payload = [
    ["extensionDevelopmentPath", remote(CLIENT)],
    ["extensionTestsPath", remote(TESTS)],
  ];
  return new URLSearchParams({ folder: workspace, payload: JSON.stringify(payload) });
}
