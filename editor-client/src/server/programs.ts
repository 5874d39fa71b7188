// Runs a program to its end and gives what it printed.

import { spawn } from "node:child_process";

export interface Ended {
  /** null: it could not be started, or took too long. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramOptions {
  readonly timeoutMs: number;
  readonly onOutput?: (text: string) => void;
}

const MOST_KEPT = 64 * 1024;

export function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], timeout: options.timeoutMs });
    const kept = { output: "", errors: "" };
    const take = (into: "output" | "errors") => (data: Buffer) => {
      const text = data.toString("utf8");
      kept[into] = (kept[into] + text).slice(-MOST_KEPT);
      options.onOutput?.(text);
    };
    child.stdout.on("data", take("output"));
    child.stderr.on("data", take("errors"));
    child.on("error", (error) => resolve({ code: null, output: "", errors: error.message }));
    child.on("close", (code) => resolve({ code, ...kept }));
  });
}
