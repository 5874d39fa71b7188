// The server's life: found, started, started once more when it crashes, stopped.

import { mkdir } from "node:fs/promises";
import * as vscode from "vscode";
import { type LanguageClient, State } from "vscode-languageclient/node";
import { type ClientParts, makeClient } from "./client";
import { Crashes } from "./crashes";
import { firstReady, type Known, NEWEST, OLDEST, type Probed } from "./interpreters";
import type { Trouble } from "./makers";
import type { Installing, OwnEnvironment } from "./own";
import { runProgram } from "./programs";
import { chosenPython } from "./pythonExtension";

const PROBED_WITHIN_MS = 20_000;
const ON_PATH = process.platform === "win32" ? "python" : "python3";

export type ServerState =
  | { readonly kind: "untrusted" }
  | { readonly kind: "starting" }
  | { readonly kind: "ready"; readonly python: string; readonly version: string }
  | { readonly kind: "down"; readonly message: string; readonly canInstall: boolean };

/** A Python that was set is the only one that is tried; where it does not serve, it gives way to what was installed. */
async function forgetSetPython(): Promise<void> {
  const settings = vscode.workspace.getConfiguration("codeens.server");
  const found = settings.inspect("python");
  if (found?.workspaceValue !== undefined) {
    await settings.update("python", undefined, vscode.ConfigurationTarget.Workspace);
  }
  if (found?.globalValue !== undefined) {
    await settings.update("python", undefined, vscode.ConfigurationTarget.Global);
  }
}

export type Prepare = () => Promise<Pick<ClientParts, "environment" | "generates">>;
type Fixed = Pick<ClientParts, "settings" | "execute">;

export class Server implements vscode.Disposable {
  private readonly changed = new vscode.EventEmitter<ServerState>();
  readonly onDidChange = this.changed.event;
  private readonly started = new vscode.EventEmitter<LanguageClient>();
  /** Fired before a new client is started, so that handlers can be given to it. */
  readonly onWillStart = this.started.event;
  private readonly crashed = new vscode.EventEmitter<boolean>();
  /** Fired when the server ended unasked, with whether it is started again. */
  readonly onDidCrash = this.crashed.event;
  private readonly crashes = new Crashes(Date.now);
  private current: LanguageClient | undefined;
  private state_: ServerState = { kind: "untrusted" };
  private turn: Promise<void> = Promise.resolve();

  constructor(
    private readonly storage: vscode.Uri,
    private readonly own: OwnEnvironment,
    private readonly log: vscode.LogOutputChannel,
    private readonly fixed: Fixed,
    private readonly prepare: Prepare,
  ) {}

  get state(): ServerState {
    return this.state_;
  }

  get client(): LanguageClient | undefined {
    return this.state_.kind === "ready" ? this.current : undefined;
  }

  /** Starts it anew, whatever was before; one start at a time. */
  start(): Promise<void> {
    this.turn = this.turn
      .then(() => this.startNow())
      .catch((error: unknown) =>
        this.become({ kind: "down", message: `The server did not start: ${error}`, canInstall: false }),
      );
    return this.turn;
  }

  /** Waits for a start that is under way. */
  settled(): Promise<void> {
    return this.turn;
  }

  /** Makes an environment of its own for it, and starts it there. */
  async install(how: Installing): Promise<Trouble | undefined> {
    const trouble = await this.own.install(await this.pythons(), how);
    if (trouble === undefined && !how.signal.aborted) {
      await forgetSetPython();
      await this.start();
    }
    return trouble;
  }

  async stop(): Promise<void> {
    const client = this.current;
    this.current = undefined;
    await client
      ?.dispose(2000)
      .catch((error: unknown) => this.log.warn(`the server was not stopped: ${error}`));
  }

  dispose(): void {
    this.changed.dispose();
    this.started.dispose();
    this.crashed.dispose();
  }

  private async startNow(): Promise<void> {
    await this.stop();
    if (!vscode.workspace.isTrusted) {
      this.become({ kind: "untrusted" });
      return;
    }
    this.become({ kind: "starting" });
    this.crashes.forget();
    const found = await firstReady(await this.known(), (command, args) =>
      runProgram(command, args, { timeoutMs: PROBED_WITHIN_MS }),
    );
    if (Array.isArray(found)) {
      this.become({ kind: "down", message: this.nothingFound(found), canInstall: true });
      return;
    }
    await this.startWith(found);
  }

  private async startWith(found: Extract<Probed, { kind: "ready" }>): Promise<void> {
    this.log.info(`codeens ${found.version} of ${found.python}`);
    await mkdir(this.storage.fsPath, { recursive: true });
    const ready: ServerState = { kind: "ready", python: found.python, version: found.version };
    const client = makeClient({
      ...this.fixed,
      ...(await this.prepare()),
      python: found.python,
      folder: this.storage.fsPath,
      log: this.log,
      onCrash: () => this.hasCrashed(),
    });
    this.current = client;
    this.started.fire(client);
    client.onDidChangeState(({ newState }) => {
      if (newState === State.Running && this.current === client) {
        this.become(ready);
      }
    });
    try {
      await client.start();
    } catch (error) {
      this.become({
        kind: "down",
        message: `The server did not start: ${error}. The log says more.`,
        canInstall: true,
      });
    }
  }

  private hasCrashed(): boolean {
    const isRestarted = this.crashes.mayRestart();
    this.log.error(
      `the server ended unasked; ${isRestarted ? "it is started again" : "it is not started again"}`,
    );
    if (isRestarted) {
      this.become({ kind: "starting" });
    } else {
      const message =
        "The server ended unexpectedly twice. The log says why; restart it when that is mended.";
      this.become({ kind: "down", message, canInstall: false });
    }
    this.crashed.fire(isRestarted);
    return isRestarted;
  }

  /** Interpreters that may have codeens, in the order in which they are tried; a set one is the only one. */
  private async known(): Promise<Known[]> {
    const set = vscode.workspace.getConfiguration("codeens.server").get<string | null>("python");
    if (set) {
      return [{ python: set, from: "the setting codeens.server.python" }];
    }
    const chosen = await chosenPython(vscode.workspace.workspaceFolders?.[0]?.uri);
    return [
      ...(chosen ? [{ python: chosen, from: "chosen in the Python extension" }] : []),
      { python: this.own.python, from: "installed by this extension" },
      { python: ON_PATH, from: "the search path" },
    ];
  }

  /** Interpreters that may make an environment. */
  private async pythons(): Promise<string[]> {
    const known = (await this.known()).map((each) => each.python).filter((each) => each !== this.own.python);
    const minors = Array.from({ length: NEWEST[1] - OLDEST[1] + 1 }, (_, at) => NEWEST[1] - at);
    return [...new Set([...known, ON_PATH, ...minors.map((minor) => `python${NEWEST[0]}.${minor}`)])];
  }

  private nothingFound(tried: readonly Probed[]): string {
    const told = tried.filter((each) => each.kind === "unusable");
    for (const each of told) {
      this.log.info(`${each.python} (${each.from}): ${each.why}`);
    }
    const only = told.length === 1 ? told[0] : undefined;
    return only
      ? `${only.python} (${only.from}) cannot run the server: ${only.why}.`
      : "codeens is not installed in any Python known here. Install it into an environment of its own, or choose a Python that has it.";
  }

  private become(state: ServerState): void {
    this.state_ = state;
    this.changed.fire(state);
  }
}
