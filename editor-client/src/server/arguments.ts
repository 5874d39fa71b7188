// How Python is told to be a server of codeens: apart from what is in the folder that it starts in, and in its environment.

const START = "from codeens._scripts.server import main; main()";
const ISOLATED = ["-I", "-X", "utf8", "-c", START];

export function languageServerArguments(): string[] {
  return [...ISOLATED];
}

/** The server for agents; `folders`: those that it may read and write in, which the user trusts. */
export function mcpArguments(folders: readonly string[]): string[] {
  const roots = folders.length ? ["--root", ...folders] : [];
  return [...ISOLATED, "--mcp", "stdio", "--trust-workspace", ...roots];
}
