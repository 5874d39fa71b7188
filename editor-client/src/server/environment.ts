// An environment of codeens' own, for who has it in none: made by uv where there is uv, else by venv and pip.

import { join } from "node:path";
import type { Ended } from "./programs";

export type Run = (command: string, args: readonly string[]) => Promise<Ended>;

export type Made = { readonly python: string } | { readonly why: string };

export function pythonIn(folder: string, platform: NodeJS.Platform): string {
  return platform === "win32" ? join(folder, "Scripts", "python.exe") : join(folder, "bin", "python");
}

/** Makes the environment and installs into it; `pythons`: interpreters to make it with, where there is no uv. */
export async function makeEnvironment(
  folder: string,
  requirement: string,
  pythons: readonly string[],
  run: Run,
): Promise<Made> {
  const python = pythonIn(folder, process.platform);
  const hasUv = (await run("uv", ["--version"])).code === 0;
  const made = hasUv
    ? await run("uv", ["venv", "--python", ">=3.11", "--clear", folder])
    : await firstThatWorks(pythons.map((each) => () => run(each, ["-I", "-m", "venv", "--clear", folder])));
  if (made.code !== 0) {
    const why = hasUv
      ? "uv could make no environment"
      : "no Python made an environment; install uv, or Python 3.11 with venv";
    return { why: `${why}: ${tail(made.errors)}` };
  }
  const installed = hasUv
    ? await run("uv", ["pip", "install", "--python", python, "--upgrade", requirement])
    : await run(python, [
        "-I",
        "-m",
        "pip",
        "install",
        "--disable-pip-version-check",
        "--upgrade",
        requirement,
      ]);
  return installed.code === 0
    ? { python }
    : { why: `${requirement} could not be installed: ${tail(installed.errors)}` };
}

async function firstThatWorks(attempts: readonly (() => Promise<Ended>)[]): Promise<Ended> {
  let last: Ended = { code: null, output: "", errors: "there is no Python" };
  for (const attempt of attempts) {
    last = await attempt();
    if (last.code === 0) {
      break;
    }
  }
  return last;
}

function tail(text: string): string {
  return text.trim().split("\n").slice(-3).join(" ");
}
