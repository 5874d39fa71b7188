// The environment that the extension makes for the server in the editor's storage: one for each of its versions.

import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type * as vscode from "vscode";
import { type Carried, carriedBy, makeEnvironment } from "./environment";
import type { Run } from "./interpreters";
import { bringUv, pythonIn, type Trouble, uvIn } from "./makers";
import { runProgram } from "./programs";

const STEP_WITHIN_MS = 20 * 60_000;

export interface Installing {
  readonly tell: (step: string) => void;
  readonly signal: AbortSignal;
  /** Whether to have pip bring uv first, so that uv brings a Python. */
  readonly withUv: boolean;
}

export class OwnEnvironment {
  private readonly carried: Carried;
  private readonly folders: string;
  private readonly folder: string;
  private readonly uv: string;

  constructor(
    extension: vscode.Extension<unknown>,
    storage: string,
    private readonly log: vscode.LogOutputChannel,
  ) {
    const version = (extension.packageJSON as { version: string }).version;
    this.carried = carriedBy(extension.extensionPath, version);
    this.folders = join(storage, "server");
    this.folder = join(this.folders, version);
    this.uv = join(storage, "uv");
  }

  get python(): string {
    return pythonIn(this.folder, process.platform);
  }

  /** Makes it anew, and removes those of other versions. */
  async install(pythons: readonly string[], how: Installing): Promise<Trouble | undefined> {
    const run: Run = (command, args) => this.run(command, args, how.signal);
    await mkdir(this.folders, { recursive: true });
    if (how.withUv) {
      how.tell("fetching uv");
      const trouble = await bringUv(this.uv, this.carried, pythons, run);
      if (trouble) {
        return trouble;
      }
    }
    const uvs = ["uv", uvIn(this.uv, process.platform)];
    const wanted = { folder: this.folder, carried: this.carried, uvs, pythons };
    const made = await makeEnvironment(wanted, run, how.tell);
    if ("why" in made) {
      return made;
    }
    await this.removeOthers();
    return undefined;
  }

  private async removeOthers(): Promise<void> {
    const paths = (await readdir(this.folders)).map((name) => join(this.folders, name));
    const others = paths.filter((path) => path !== this.folder);
    await Promise.all(others.map((path) => rm(path, { recursive: true, force: true })));
  }

  private run(command: string, args: readonly string[], signal: AbortSignal) {
    this.log.info(`${command} ${args.join(" ")}`);
    const onOutput = (text: string) => this.log.info(text.trimEnd());
    return runProgram(command, args, { timeoutMs: STEP_WITHIN_MS, onOutput, signal });
  }
}
