// From a fresh editor to a server: what is in the .vsix is installed, and nothing that has no hash.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { PYTHON, REPOSITORY } from "./editor.mjs";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";

const workspace = join(REPOSITORY, "examples/shop");
const INSTALLED_WITHIN_MS = 600_000;
const STORAGE = "User/globalStorage/codeens.codeens";

/** uv and its cache, and no Python that has codeens. */
function withUv() {
  const uv = join(PYTHON, "../uv");
  const bin = mkdtempSync(join(tmpdir(), "codeens-uv-"));
  symlinkSync(uv, join(bin, "uv"));
  const cache = spawnSync(uv, ["cache", "dir"], { encoding: "utf8" }).stdout.trim();
  return { PATH: `${bin}${delimiter}${process.env.PATH}`, UV_CACHE_DIR: cache };
}

scene(
  "the server that the extension carries is installed, and can be cancelled",
  { workspace, settings: { "codeens.server.python": null }, environment: withUv() },
  async (bench, editor) => {
    const folder = join(editor.data, STORAGE, "server");
    await bench.open("orders.py");
    await bench.command("codeens: Show Results");
    const install = bench.results.getByRole("button", { name: "Install the Server" });
    await install.waitFor();
    await bench.picture("install-before");

    await install.click();
    const progress = bench.notification("installing the server");
    await progress.getByRole("button", { name: "Cancel" }).click();
    await progress.waitFor({ state: "hidden" });
    await until("nothing is left of it", () => !existsSync(folder) || readdirSync(folder).length === 0);
    assert.equal(await bench.notification("codeens:").count(), 0);

    await install.click();
    await progress.waitFor();
    await bench.picture("installing");
    await progress.waitFor({ state: "hidden", timeout: INSTALLED_WITHIN_MS });
    await bench.server();
    const [server] = descendants(editor.pid, "codeens._scripts.server");
    assert.ok(server.command.startsWith(folder), server.command);
    await bench.contextMenu("def repeat_customers");
    await bench.picture("installed");
  },
);
