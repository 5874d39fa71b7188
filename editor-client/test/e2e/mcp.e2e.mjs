// The editor's agent mode finds codeens' MCP server, starts it, and learns its tools.

import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "./editor.mjs";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";

const STARTED = "--mcp";

scene(
  "the MCP server is discovered, started, and asked for its tools",
  { workspace: join(REPOSITORY, "examples/shop"), settings: { "chat.disableAIFeatures": false } },
  async (bench, editor) => {
    const { page } = bench;
    await bench.open("orders.py");
    await bench.server();
    assert.deepEqual(descendants(editor.pid, STARTED), []);
    await bench.command("MCP: List Servers");
    await pick(page, "codeens");
    await pick(page, "Start Server");
    await until("it runs", () => descendants(editor.pid, STARTED).length === 1);
    // The editor shows by itself what a server that it starts says.
    await page.locator(".output-view .view-line", { hasText: /Discovered\s\d+\stools/ }).waitFor();
    await bench.picture("mcp-server");
  },
);

async function pick(page, text) {
  await page.locator(".quick-input-list .monaco-list-row", { hasText: text }).first().click();
}
