// What is asked in a chat. Pure.

import type { Goal } from "./protocol";

export interface ToolInput {
  /** Path in the first folder, or absolute. */
  readonly file: string;
  readonly function: string;
  readonly goal?: Goal;
}

export interface Asked {
  readonly uri: string;
  readonly function?: string;
  readonly line?: number;
}

const TARGET = /(?<file>[^\s`'"]+\.py)::(?<name>[\w.]+)/;
const GOALS: Readonly<Record<string, Goal>> = {
  speed: "speed",
  memory: "memory",
  readability: "readability",
};

/** The first `path.py::function` in a text. */
export function targetOf(text: string): { readonly file: string; readonly function: string } | undefined {
  const { file, name } = TARGET.exec(text)?.groups ?? {};
  return file && name ? { file, function: name } : undefined;
}

export function goalOf(command: string | undefined): Goal | undefined {
  return GOALS[command ?? ""];
}
