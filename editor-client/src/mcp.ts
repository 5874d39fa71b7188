// Gives the editor's agent the tools of codeens' MCP server, where both the editor and the server can do so.

import * as vscode from "vscode";

const START = "from codeens_server.serve import main; main()";

type Definition = new (
  label: string,
  command: string,
  args: string[],
  env: Record<string, string>,
  version: string,
) => object;

/** The part of the API that is newer than the oldest editor this extension runs in. */
interface NewerApi {
  readonly lm?: { registerMcpServerDefinitionProvider?(id: string, provider: object): vscode.Disposable };
  readonly McpStdioServerDefinition?: Definition;
}

export interface McpServer {
  readonly python: string;
  readonly version: string;
  readonly environment: () => Promise<Record<string, string>>;
}

/** Some editors have the function and throw when it is called; for them there is no MCP server. */
export function registerMcp(server: McpServer, log: vscode.LogOutputChannel): vscode.Disposable | undefined {
  const { lm, McpStdioServerDefinition } = vscode as NewerApi;
  if (lm?.registerMcpServerDefinitionProvider === undefined || McpStdioServerDefinition === undefined) {
    return undefined;
  }
  const args = ["-I", "-X", "utf8", "-c", START, "--mcp", "stdio"];
  const provider = {
    provideMcpServerDefinitions: async () => [
      new McpStdioServerDefinition(
        "codeens",
        server.python,
        args,
        await server.environment(),
        server.version,
      ),
    ],
  };
  try {
    return lm.registerMcpServerDefinitionProvider("codeens", provider);
  } catch (error) {
    log.info(`no MCP server is registered: ${error}`);
    return undefined;
  }
}

/** Whether the server said that it serves MCP too. */
export function servesMcp(capabilities: { readonly experimental?: unknown } | undefined): boolean {
  const own = (capabilities?.experimental as { codeens?: { mcp?: unknown } } | undefined)?.codeens;
  return own?.mcp === true;
}
