// Runs a program to its end and gives what it printed.

import { type ChildProcess, spawn } from "node:child_process";

export interface Ended {
  /** null: it could not be started, took too long, or was stopped. */
  readonly code: number | null;
  readonly output: string;
  readonly errors: string;
}

export interface ProgramOptions {
  readonly timeoutMs: number;
  readonly onOutput?: (text: string) => void;
  /** Ends it, with all that it started. */
  readonly signal?: AbortSignal | undefined;
}

const MOST_KEPT = 64 * 1024;
const HAS_GROUPS = process.platform !== "win32";

export function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions,
): Promise<Ended> {
  if (options.signal?.aborted) {
    return Promise.resolve({ code: null, output: "", errors: "it was stopped" });
  }
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"], detached: HAS_GROUPS });
    const stop = () => end(child);
    const late = setTimeout(stop, options.timeoutMs);
    options.signal?.addEventListener("abort", stop);
    const over = (ended: Ended) => {
      clearTimeout(late);
      options.signal?.removeEventListener("abort", stop);
      resolve(ended);
    };
    const kept = { output: "", errors: "" };
    const take = (into: "output" | "errors") => (data: Buffer) => {
      const text = data.toString("utf8");
      kept[into] = (kept[into] + text).slice(-MOST_KEPT);
      options.onOutput?.(text);
    };
    child.stdout.on("data", take("output"));
    child.stderr.on("data", take("errors"));
    child.on("error", (error) => over({ code: null, output: "", errors: error.message }));
    child.on("close", (code) => over({ code, ...kept }));
  });
}

function end(child: ChildProcess): void {
  if (child.pid === undefined) {
    return;
  }
  if (!HAS_GROUPS) {
    child.kill();
    return;
  }
  try {
    process.kill(-child.pid, "SIGKILL");
  } catch {
    // It has ended already.
  }
}
