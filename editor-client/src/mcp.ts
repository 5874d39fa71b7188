// Gives the editor's agent the tools of codeens' MCP server, where both the editor and the server can do so.

import * as vscode from "vscode";
import { mcpArguments } from "./server/arguments";

type Environment = Record<string, string | number | null>;

/** An MCP server as the editor keeps it, also on its disk: keys are added when it is started. */
interface Definition {
  cwd?: vscode.Uri;
  env: Environment;
}

type MakeDefinition = new (
  label: string,
  command: string,
  args: string[],
  env: Environment,
  version: string,
) => Definition;

interface Provider {
  readonly onDidChangeMcpServerDefinitions: vscode.Event<void>;
  provideMcpServerDefinitions(): Promise<Definition[]>;
  resolveMcpServerDefinition(definition: Definition): Promise<Definition>;
}

/** The part of the API that is newer than the oldest editor this extension runs in. */
interface NewerApi {
  readonly lm?: { registerMcpServerDefinitionProvider?(id: string, provider: Provider): vscode.Disposable };
  readonly McpStdioServerDefinition?: MakeDefinition;
}

export interface McpServer {
  readonly python: string;
  readonly version: string;
}

export interface McpParts {
  /** The server, when it has started; undefined where there is none that serves MCP. */
  readonly server: () => Promise<McpServer | undefined>;
  readonly onDidChange: vscode.Event<void>;
  readonly folder: vscode.Uri;
  readonly keys: () => Promise<Environment>;
}

/** Some editors have the function and throw when it is called; for them there is no MCP server. */
export function registerMcp(parts: McpParts, log: vscode.LogOutputChannel): vscode.Disposable | undefined {
  const { lm, McpStdioServerDefinition } = vscode as NewerApi;
  if (lm?.registerMcpServerDefinitionProvider === undefined || McpStdioServerDefinition === undefined) {
    return undefined;
  }
  try {
    return lm.registerMcpServerDefinitionProvider("codeens", providerOf(parts, McpStdioServerDefinition));
  } catch (error) {
    log.info(`no MCP server is registered: ${error}`);
    return undefined;
  }
}

function providerOf(parts: McpParts, make: MakeDefinition): Provider {
  return {
    onDidChangeMcpServerDefinitions: parts.onDidChange,
    async provideMcpServerDefinitions() {
      const server = await parts.server();
      if (server === undefined) {
        return [];
      }
      const folders = (vscode.workspace.workspaceFolders ?? []).map(({ uri }) => uri.fsPath);
      const definition = new make("codeens", server.python, mcpArguments(folders), {}, server.version);
      definition.cwd = parts.folder;
      return [definition];
    },
    async resolveMcpServerDefinition(definition) {
      definition.env = await parts.keys();
      return definition;
    },
  };
}

/** Whether the server said that it serves MCP too. */
export function servesMcp(capabilities: { readonly experimental?: unknown } | undefined): boolean {
  const own = (capabilities?.experimental as { codeens?: { mcp?: unknown } } | undefined)?.codeens;
  return own?.mcp === true;
}
