import assert from "node:assert/strict";
import { test } from "node:test";
import { languageServerArguments, mcpArguments } from "../../src/server/arguments";
import { Crashes, HELD_MS } from "../../src/server/crashes";
import { makeEnvironment, pythonIn } from "../../src/server/environment";
import { firstReady, probe } from "../../src/server/interpreters";
import type { Ended } from "../../src/server/programs";
import { runProgram } from "../../src/server/programs";
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
  ["is too old", answering(null, [3, 9]), /3\.11 or later/],
  ["fails", { code: 1, output: "", errors: "Traceback\nboom" }, /it failed: boom/],
];

for (const [what, ended, reason] of REASONS) {
  test(`a Python that ${what} is refused with that reason`, async () => {
    const probed = await probe(KNOWN, async () => ended);
    assert.ok(probed.kind === "unusable");
    assert.match(probed.why, reason);
  });
}

test("an environment is made by uv where there is uv", async () => {
  const commands: string[] = [];
  const made = await makeEnvironment("/env", "codeens", ["python3"], async (command, args) => {
    commands.push([command, ...args.slice(0, 2)].join(" "));
    return FINE;
  });
  assert.deepEqual(made, { python: pythonIn("/env", process.platform) });
  assert.deepEqual(commands, ["uv --version", "uv venv --python", "uv pip install"]);
});

test("without uv the first Python that can makes it", async () => {
  const commands: string[] = [];
  const made = await makeEnvironment("/env", "codeens", ["/broken", "/good"], async (command) => {
    commands.push(command);
    return command === "uv" || command === "/broken" ? MISSING : FINE;
  });
  assert.ok("python" in made);
  assert.deepEqual(commands.slice(0, 3), ["uv", "/broken", "/good"]);
});

test("an installation that fails says the end of what it said", async () => {
  const made = await makeEnvironment("/env", "codeens", [], async (_command, args) =>
    args.includes("install") ? { code: 1, output: "", errors: "a\nb\nno such package" } : FINE,
  );
  assert.deepEqual(made, { why: "codeens could not be installed: a b no such package" });
});

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

test("a program's output and exit code are given, and one that is not there is told from one that fails", async () => {
  const ended = await runProgram(process.execPath, ["-e", "console.log(1); process.exit(3)"], {
    timeoutMs: 20_000,
  });
  assert.deepEqual(ended, { code: 3, output: "1\n", errors: "" });
  assert.equal((await runProgram("no-such-program-here", [], { timeoutMs: 1000 })).code, null);
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
