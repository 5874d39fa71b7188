// What can make an environment on this machine: uv, or a Python that the server can run on.

import { join } from "node:path";
import type { Carried } from "./environment";
import { askPython, NEWEST, OLDEST, RANGE, type Run, suits } from "./interpreters";

/** What helps: another Python, uv to bring one, or the same once more. */
export type Remedy = "python" | "uv" | "again";

export interface Trouble {
  readonly why: string;
  readonly remedy: Remedy;
}

/** A command that makes the environment, and the beginning of the one that installs into it. */
export interface Maker {
  readonly make: readonly string[];
  readonly install: readonly string[];
}

/** Only what stands in the lock, compared with its hashes; and nothing of it is built, which would run more than that. */
export const LOCKED = ["--require-hashes", "--no-deps", "--only-binary", ":all:"];

const PIP = ["-I", "-m", "pip"];
const INSTALL = ["install", "--disable-pip-version-check"];

export function pythonIn(folder: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/** Those that this machine has, each to be tried when the one before failed. */
export async function findMakers(
  folder: string,
  uvs: readonly string[],
  pythons: readonly string[],
  run: Run,
): Promise<readonly Maker[] | Trouble> {
  for (const uv of uvs) {
    if ((await run(uv, ["--version"])).code === 0) {
      return [byUv(uv, folder)];
    }
  }
  const unfit: string[] = [];
  for (const python of pythons) {
    const asked = await askPython(python, run);
    const suit = typeof asked === "string" ? undefined : suits(asked.python);
    if (suit === "fits") {
      return byPip(python, folder);
    }
    if (typeof asked !== "string" && suit) {
      unfit.push(`Python ${asked.python.join(".")} (${python}) is too ${suit}`);
    }
  }
  return unfit[0] === undefined
    ? { why: `There is no Python here, and codeens needs Python ${RANGE}.`, remedy: "python" }
    : { why: `${unfit[0]}: codeens needs Python ${RANGE}.`, remedy: "uv" };
}

/** Has the pip of some Python, of whatever version, bring uv, which can bring a Python. */
export async function bringUv(
  folder: string,
  carried: Carried,
  pythons: readonly string[],
  run: Run,
): Promise<Trouble | undefined> {
  for (const python of pythons) {
    const into = ["--upgrade", "--target", folder, ...LOCKED, "-r", carried.uvLock];
    if ((await run(python, [...PIP, ...INSTALL, ...into])).code === 0) {
      return undefined;
    }
  }
  return { why: `No pip here could bring uv; install Python ${RANGE}.`, remedy: "python" };
}

export function uvIn(folder: string, platform: NodeJS.Platform): string {
  return join(folder, "bin", platform === "win32" ? "uv.exe" : "uv");
}

function byUv(uv: string, folder: string): Maker {
  const wanted = `>=${OLDEST.join(".")},<${NEWEST[0]}.${NEWEST[1] + 1}`;
  const python = pythonIn(folder, process.platform);
  return {
    make: [uv, "venv", "--python", wanted, "--clear", folder],
    install: [uv, "pip", "install", "--python", python, "--compile-bytecode"],
  };
}

/** Debian parts venv from pip, and a machine may have either. */
function byPip(base: string, folder: string): readonly Maker[] {
  const python = pythonIn(folder, process.platform);
  const make = [base, "-I", "-m", "venv", "--clear"];
  return [
    { make: [...make, folder], install: [python, ...PIP, ...INSTALL] },
    {
      make: [...make, "--without-pip", folder],
      install: [base, ...PIP, "--python", python, ...INSTALL],
    },
  ];
}
