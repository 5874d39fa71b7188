// A run that is cancelled ends at once, and keeps what was found.

import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "./editor.mjs";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";

const SANDBOXED = "codeens_worker";
const GONE_WITHIN_MS = 10_000;

scene(
  "cancelling ends every sandbox at once",
  { workspace: join(REPOSITORY, "examples/shop") },
  async (bench, editor) => {
    await bench.open("orders.py");
    await bench.server();
    await bench.contextMenu("def repeat_customers");
    await bench.choose("Run Ensemble on Function");
    await bench.results.locator(".candidate").first().waitFor({ timeout: 120_000 });
    await until("something runs in a sandbox", () => descendants(editor.pid, SANDBOXED).length > 0, 30_000);

    await bench.results.locator("header").getByRole("button", { name: "Cancel" }).click();
    await until("no sandbox is left", () => descendants(editor.pid, SANDBOXED).length === 0, GONE_WITHIN_MS);
    await bench.results.locator("section.run:not(.running)").waitFor();
    await bench.lens("(cancelled)");
    await bench.picture("cancelled");
    const text = await bench.results.locator("section.run").textContent();
    assert.match(text, /cancelled/);
    assert.equal(descendants(editor.pid, SANDBOXED).length, 0);
  },
);
