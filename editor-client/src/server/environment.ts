// An environment of the server's own, made of what the extension carries: codeens' wheel, and the lock of all that it needs.

import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Run } from "./interpreters";
import { findMakers, LOCKED, type Maker, pythonIn, type Trouble } from "./makers";
import type { Ended } from "./programs";

/** Files of the extension. */
export interface Carried {
  readonly wheel: string;
  readonly lock: string;
  readonly uvLock: string;
}

export interface Wanted {
  readonly folder: string;
  readonly carried: Carried;
  /** Where uv may be. */
  readonly uvs: readonly string[];
  /** Interpreters to make it with, where there is no uv. */
  readonly pythons: readonly string[];
}

export type Made = { readonly python: string } | Trouble;

export function carriedBy(extension: string, version: string): Carried {
  const at = (name: string) => join(extension, "dist", "server", name);
  return {
    wheel: at(`codeens-${version}-py3-none-any.whl`),
    lock: at("requirements.lock"),
    uvLock: at("requirements-uv.lock"),
  };
}

/** Makes it; where that fails, no folder is left. */
export async function makeEnvironment(wanted: Wanted, run: Run, tell: (step: string) => void): Promise<Made> {
  const trouble = await tryToMake(wanted, run, tell);
  if (trouble) {
    await rm(wanted.folder, { recursive: true, force: true });
  }
  return trouble ?? { python: pythonIn(wanted.folder, process.platform) };
}

async function tryToMake(
  { folder, carried, uvs, pythons }: Wanted,
  run: Run,
  tell: (step: string) => void,
): Promise<Trouble | undefined> {
  if (!existsSync(carried.wheel)) {
    return {
      why: `This build of the extension carries no server: ${carried.wheel} is missing.`,
      remedy: "again",
    };
  }
  tell("making an environment");
  const makers = await findMakers(folder, uvs, pythons, run);
  if ("why" in makers) {
    return makers;
  }
  let last: Ended | undefined;
  for (const maker of makers) {
    last = await call(run, maker.make);
    if (last.code === 0) {
      return fill(maker, carried, run, tell);
    }
  }
  return { why: `No environment could be made: ${tail(last)}`, remedy: "again" };
}

async function fill(
  { install }: Maker,
  carried: Carried,
  run: Run,
  tell: (step: string) => void,
): Promise<Trouble | undefined> {
  tell("fetching what the server needs");
  const needed = await call(run, [...install, ...LOCKED, "-r", carried.lock]);
  if (needed.code !== 0) {
    const why = `What the server needs could not be installed; is this machine online? ${tail(needed)}`;
    return { why, remedy: "again" };
  }
  tell("installing the server");
  const installed = await call(run, [...install, "--no-deps", "--no-index", carried.wheel]);
  return installed.code === 0
    ? undefined
    : { why: `The server could not be installed: ${tail(installed)}`, remedy: "again" };
}

function call(run: Run, [program = "", ...args]: readonly string[]): Promise<Ended> {
  return run(program, args);
}

function tail(ended: Ended | undefined): string {
  return ended?.errors.trim().split("\n").slice(-3).join(" ") ?? "";
}
