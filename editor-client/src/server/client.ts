// The language client: how the server is started, what it is told, and what of it is answered here.

import type * as vscode from "vscode";
import {
  CloseAction,
  ErrorAction,
  type ErrorHandler,
  type Executable,
  LanguageClient,
  type LanguageClientOptions,
  type Middleware,
  type StaticFeature,
  TransportKind,
} from "vscode-languageclient/node";
import { languageServerArguments } from "./arguments";

export interface ClientParts {
  readonly python: string;
  readonly environment: NodeJS.ProcessEnv;
  readonly folder: string;
  readonly log: vscode.OutputChannel;
  readonly settings: (folder: vscode.Uri | undefined) => Promise<object>;
  readonly execute: NonNullable<Middleware["executeCommand"]>;
  readonly generates: boolean;
  /** Asked when the server ended unasked: whether to start it again. */
  readonly onCrash: () => boolean;
}

export function makeClient(parts: ClientParts): LanguageClient {
  const server: Executable = {
    command: parts.python,
    args: languageServerArguments(),
    transport: TransportKind.stdio,
    options: { env: parts.environment, cwd: parts.folder },
  };
  const options: LanguageClientOptions = {
    documentSelector: [
      { scheme: "file", language: "python" },
      { scheme: "untitled", language: "python" },
      { notebook: "*", language: "python" },
    ],
    outputChannel: parts.log,
    // How the editor shows things is told at once and when it changes; settings of runs are asked for by the server.
    synchronize: { configurationSection: "codeens.editor" },
    initializationOptions: { trusted: true },
    errorHandler: errorHandler(parts.onCrash),
    initializationFailedHandler: () => false,
    middleware: {
      executeCommand: parts.execute,
      workspace: {
        configuration: (params) =>
          Promise.all(params.items.map((item) => parts.settings(folderOf(client, item.scopeUri)))),
      },
    },
  };
  const client = new LanguageClient("codeens", "codeens", server, options);
  client.registerFeature(comforts(parts.generates));
  return client;
}

function folderOf(client: LanguageClient, uri: string | undefined): vscode.Uri | undefined {
  return uri === undefined ? undefined : client.protocol2CodeConverter.asUri(uri);
}

/** Tells the server what only this client can do. */
function comforts(generates: boolean): StaticFeature {
  return {
    fillClientCapabilities(capabilities) {
      const own = { runs: true, views: true, generate: generates };
      capabilities.experimental = { ...capabilities.experimental, codeens: own };
    },
    initialize() {},
    getState: () => ({ kind: "static" }),
    clear() {},
  };
}

function errorHandler(onCrash: () => boolean): ErrorHandler {
  return {
    error: () => ({ action: ErrorAction.Continue, handled: true }),
    closed: () => ({
      action: onCrash() ? CloseAction.Restart : CloseAction.DoNotRestart,
      handled: true,
    }),
  };
}
