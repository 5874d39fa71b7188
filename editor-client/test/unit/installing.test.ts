import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type Carried, makeEnvironment } from "../../src/server/environment";
import type { Run } from "../../src/server/interpreters";
import { bringUv, type Remedy } from "../../src/server/makers";
import { type Ended, runProgram } from "../../src/server/programs";

const FINE: Ended = { code: 0, output: "", errors: "" };
const MISSING: Ended = { code: null, output: "", errors: "spawn ENOENT" };
const FAILED: Ended = { code: 1, output: "", errors: "a\nb\nc\nno such host" };
const CARRIED: Carried = { wheel: process.execPath, lock: "/ext/requirements.lock", uvLock: "/ext/uv.lock" };

/** A machine: the version of each of its Pythons; `fails` says which commands do not work. */
function machine(
  pythons: Record<string, readonly [number, number]>,
  fails: (command: string) => boolean = () => false,
): { run: Run; ran: string[] } {
  const ran: string[] = [];
  const run: Run = async (program, args) => {
    const command = [program, ...args].join(" ");
    if (args.includes("-c")) {
      const python = pythons[program];
      return python ? { ...FINE, output: JSON.stringify({ python, codeens: null }) } : MISSING;
    }
    ran.push(command);
    return fails(command) ? FAILED : FINE;
  };
  return { run, ran };
}

async function made({ run }: { run: Run }, pythons: readonly string[] = [], uvs: readonly string[] = []) {
  const folder = join(mkdtempSync(join(tmpdir(), "codeens-unit-")), "environment");
  mkdirSync(folder);
  const steps: string[] = [];
  const ended = await makeEnvironment({ folder, carried: CARRIED, pythons, uvs }, run, (s) => steps.push(s));
  return { ended, steps, folder };
}

const WAYS: [string, string[], Record<string, readonly [number, number]>, string][] = [
  ["uv", ["uv"], {}, "uv venv --python >=3.11,<3.15"],
  ["a Python", [], { "/py": [3, 11] }, "/py -I -m venv"],
];
for (const [what, uvs, pythons, begins] of WAYS) {
  test(`with ${what} only what the lock has is fetched, by its hash, and the wheel is taken from the extension`, async () => {
    const here = machine(pythons);
    const { ended, steps } = await made(here, Object.keys(pythons), uvs);
    assert.ok("python" in ended);
    const [make, needed, wheel] = here.ran.filter((command) => !command.endsWith("--version"));
    assert.ok(make?.startsWith(begins), make);
    assert.match(
      needed ?? "",
      / install .*--require-hashes --no-deps --only-binary :all: -r \/ext\/requirements\.lock$/,
    );
    assert.ok(wheel?.endsWith(`--no-deps --no-index ${CARRIED.wheel}`), wheel);
    assert.equal(here.ran.filter((command) => command.includes(" install ")).length, 2);
    assert.equal(steps.length, 3);
  });
}

test("a Python that is too old or too new is passed over for one that fits", async () => {
  const here = machine({ "/old": [3, 9], "/new": [3, 99], "/fits": [3, 14] });
  await made(here, ["/none", "/old", "/new", "/fits"]);
  assert.ok(here.ran[0]?.startsWith("/fits -I -m venv"));
});

test("without ensurepip the pip of the Python itself installs", async () => {
  const here = machine({ "/py": [3, 12] }, (command) => /venv --clear \/tmp/.test(command));
  const { ended, folder } = await made(here, ["/py"]);
  assert.ok("python" in ended);
  assert.equal(here.ran[1], `/py -I -m venv --clear --without-pip ${folder}`);
  assert.ok(here.ran[2]?.startsWith(`/py -I -m pip --python ${ended.python} install`));
});

const TROUBLES: [string, Record<string, readonly [number, number]>, RegExp, Remedy][] = [
  ["no Python", {}, /^There is no Python here, and codeens needs Python 3\.11 to 3\.14\.$/, "python"],
  [
    "a Python that is too old",
    { "/py": [3, 9] },
    /^Python 3\.9 \(\/py\) is too old: .* 3\.11 to 3\.14\.$/,
    "uv",
  ],
  [
    "a Python that is too new",
    { "/py": [3, 99] },
    /^Python 3\.99 \(\/py\) is too new: .* 3\.11 to 3\.14\.$/,
    "uv",
  ],
];
for (const [what, pythons, sentence, remedy] of TROUBLES) {
  test(`where there is ${what}, one sentence says so and what helps`, async () => {
    const here = machine(pythons, (command) => command.startsWith("uv"));
    const { ended } = await made(here, ["/py"], ["uv"]);
    assert.ok("why" in ended);
    assert.match(ended.why, sentence);
    assert.equal(ended.remedy, remedy);
  });
}

const FAILURES: [string, RegExp, RegExp][] = [
  ["making", / venv /, /^No environment could be made: b c no such host$/],
  ["fetching", /--require-hashes/, /^What the server needs .* is this machine online\? b c no such host$/],
  ["installing", /--no-index/, /^The server could not be installed: b c no such host$/],
];
for (const [step, failing, sentence] of FAILURES) {
  test(`where ${step} fails, that is said with its last lines, and nothing is left`, async () => {
    const here = machine({ "/py": [3, 11] }, (command) => failing.test(command));
    const { ended, folder } = await made(here, ["/py"]);
    assert.ok("why" in ended);
    assert.match(ended.why, sentence);
    assert.ok(!existsSync(folder));
  });
}

test("uv is brought by the pip of whatever Python there is, by its hash", async () => {
  const here = machine({}, (command) => command.startsWith("/none"));
  assert.equal(await bringUv("/uv", CARRIED, ["/none", "/old"], here.run), undefined);
  assert.match(
    here.ran[1] ?? "",
    /^\/old -I -m pip install .*--target \/uv --require-hashes .*-r \/ext\/uv\.lock$/,
  );
  assert.equal((await bringUv("/uv", CARRIED, ["/none"], here.run))?.remedy, "python");
});

test("what is stopped ends with all that it started", { skip: process.platform === "win32" }, async () => {
  const stop = new AbortController();
  const onOutput = () => stop.abort();
  // What it started holds the output open: it closes when that has ended too.
  const ended = await runProgram("sh", ["-c", "sleep 600 & echo started; wait"], {
    timeoutMs: 300_000,
    onOutput,
    signal: stop.signal,
  });
  assert.equal(ended.code, null);
  const after = await runProgram("sh", ["-c", "echo no"], { timeoutMs: 120_000, signal: stop.signal });
  assert.equal(after.output, "");
});

test("a program's output and exit code are given, and one that is not there is told from one that fails", async () => {
  const ended = await runProgram(process.execPath, ["-e", "console.log(1); process.exit(3)"], {
    timeoutMs: 120_000,
  });
  assert.deepEqual(ended, { code: 3, output: "1\n", errors: "" });
  assert.equal((await runProgram("no-such-program-here", [], { timeoutMs: 1000 })).code, null);
});
