// What a user is told when there is no server, and when it dies.

import assert from "node:assert/strict";
import { join } from "node:path";
import { REPOSITORY } from "./editor.mjs";
import { descendants, until } from "./processes.mjs";
import { scene } from "./scene.mjs";

const workspace = join(REPOSITORY, "examples/shop");
const SERVER = "codeens._scripts.server";

scene(
  "a Python without codeens is named, with the fix",
  { workspace, settings: { "codeens.server.python": "/usr/bin/python3" } },
  async (bench) => {
    await bench.open("orders.py");
    await bench.page.getByRole("button", { name: /codeens: .*codeens is not installed in it/ }).click();
    await bench.results.getByRole("button", { name: "Install the Server" }).waitFor();
    await bench.picture("no-server");
  },
);

scene(
  "a server that dies is started once more, and not again and again",
  { workspace },
  async (bench, editor) => {
    const servers = () => descendants(editor.pid, SERVER).map((each) => each.pid);
    await bench.open("orders.py");
    await bench.server();
    const [first] = servers();
    process.kill(first, "SIGKILL");
    await bench.notification("was started again").waitFor();
    await until("another server runs", () => servers().length === 1 && servers()[0] !== first);
    await bench.server();
    await bench.picture("restarted");

    process.kill(servers()[0], "SIGKILL");
    await bench.notification("not started again").waitFor();
    await bench.command("codeens: Show Results");
    await bench.results.getByText("ended unexpectedly twice").waitFor();
    assert.deepEqual(servers(), []);
    await bench.picture("not-restarted");

    await bench.results.getByRole("button", { name: "Restart" }).click();
    await bench.server();
    await until("the server runs again", () => servers().length === 1);
  },
);
