import assert from "node:assert/strict";
import { test } from "node:test";
import { languageServerArguments, mcpArguments } from "../../src/server/arguments";
import { Crashes, HELD_MS } from "../../src/server/crashes";
import { firstReady, probe } from "../../src/server/interpreters";
import type { Ended } from "../../src/server/programs";
import { Latest } from "../../src/view/latest";

const FINE: Ended = { code: 0, output: "", errors: "" };
const MISSING: Ended = { code: null, output: "", errors: "spawn uv ENOENT" };

function answering(codeens: string | null, python = [3, 12]): Ended {
  return { ...FINE, output: `${JSON.stringify({ python, codeens })}\n` };
}

const KNOWN = { python: "/py", from: "here" };

test("the first Python that has codeens runs the server, and later ones are not asked", async () => {
  const asked: string[] = [];
  const run = async (python: string) => {
    asked.push(python);
    return python === "/b" ? answering("0.1.0") : MISSING;
  };
  const known = ["/a", "/b", "/c"].map((python) => ({ python, from: "here" }));
  assert.deepEqual(await firstReady(known, run), { kind: "ready", python: "/b", version: "0.1.0" });
  assert.deepEqual(asked, ["/a", "/b"]);
});

test("a Python is asked in isolation from its folder and environment", async () => {
  await probe(KNOWN, async (_python, args) => {
    assert.ok(args.includes("-I"));
    return answering("0.1.0");
  });
});

const REASONS: [string, Ended, RegExp][] = [
  ["cannot be started", MISSING, /cannot be started/],
  ["is no Python", { ...FINE, output: "hello" }, /not a Python/],
  ["answers something else", { ...FINE, output: "3" }, /not a Python/],
  ["has no codeens", answering(null), /not installed in it/],
  ["is too old", answering("0.1.0", [3, 9]), /Python 3\.9, and 3\.11 to/],
  ["is too new", answering(null, [3, 99]), /Python 3\.99, and 3\.11 to/],
  ["fails", { code: 1, output: "", errors: "Traceback\nboom" }, /it failed: boom/],
];

for (const [what, ended, reason] of REASONS) {
  test(`a Python that ${what} is refused with that reason`, async () => {
    const probed = await probe(KNOWN, async () => ended);
    assert.ok(probed.kind === "unusable");
    assert.match(probed.why, reason);
  });
}

test("a server that crashes is started again once, and again when it had held", () => {
  let now = 0;
  const crashes = new Crashes(() => now);
  assert.equal(crashes.mayRestart(), true);
  now = HELD_MS - 1;
  assert.equal(crashes.mayRestart(), false);
  now = HELD_MS;
  assert.equal(crashes.mayRestart(), true);
  crashes.forget();
  assert.equal(crashes.mayRestart(), true);
});

test("of calls that come while one is under way only the last is made", async () => {
  const made: number[] = [];
  const latest = new Latest<number>(async (argument) => {
    made.push(argument);
  });
  await Promise.all([1, 2, 3, 4].map((argument) => latest.make(argument)));
  assert.deepEqual(made, [1, 4]);
});

test("both servers are started apart from their folder, and agents get the open folders only", () => {
  assert.equal(languageServerArguments()[0], "-I");
  assert.ok(!languageServerArguments().includes("--mcp"));
  const agents = mcpArguments(["/a b", "/c"]);
  assert.equal(agents[0], "-I");
  assert.deepEqual(agents.slice(-6), ["--mcp", "stdio", "--trust-workspace", "--root", "/a b", "/c"]);
  assert.ok(!mcpArguments([]).includes("--root"));
});
