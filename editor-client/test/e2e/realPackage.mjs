// A package as others wrote it, with its tests: unpacked from its source distribution, which pip fetches once.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CLIENT } from "./editor.mjs";

const FOLDER = join(CLIENT, "out/real-package");
const WANTED = join(CLIENT, "test/e2e/real-package.txt");

/** Its folder. */
export function realPackage() {
  if (!existsSync(FOLDER)) {
    mkdirSync(FOLDER, { recursive: true });
    try {
      run("python3", [
        "-m",
        "pip",
        "download",
        "-q",
        "--no-deps",
        "--no-binary",
        ":all:",
        "--require-hashes",
        "-r",
        WANTED,
        "-d",
        FOLDER,
      ]);
      run("tar", ["-xzf", ...readdirSync(FOLDER), "--strip-components=1"]);
    } catch (error) {
      rmSync(FOLDER, { recursive: true });
      throw error;
    }
  }
  // Its tests are many: what tries small changes and searches inputs is not what is looked at here.
  writeFileSync(join(FOLDER, "codeens.toml"), "max_mutants = 0\nmax_inputs = 40\n");
  return FOLDER;
}

function run(command, args) {
  const ended = spawnSync(command, args, { cwd: FOLDER, encoding: "utf8" });
  if (ended.status !== 0) {
    throw new Error(`${command} ${args.join(" ")}: ${ended.stderr}`);
  }
}
