// Which Python runs the server: the first of those that are known which has codeens.

import type { Ended } from "./programs";

/** The versions that the server runs on: for a newer one, what it needs has no wheels in the lock. */
export const OLDEST = [3, 11] as const;
export const NEWEST = [3, 14] as const;
export const RANGE = `${OLDEST.join(".")} to ${NEWEST.join(".")}`;

export interface Known {
  readonly python: string;
  /** Where it is from, in words. */
  readonly from: string;
}

export type Probed =
  | { readonly kind: "ready"; readonly python: string; readonly version: string }
  | { readonly kind: "unusable"; readonly python: string; readonly from: string; readonly why: string };

export type Run = (command: string, args: readonly string[]) => Promise<Ended>;

const PROBE = [
  "import sys, json, importlib.util as u",
  "from importlib.metadata import version",
  "there = u.find_spec('codeens_server') is not None",
  "print(json.dumps({'python': sys.version_info[:2], 'codeens': version('codeens') if there else None}))",
].join("; ");

export async function firstReady(
  known: readonly Known[],
  run: Run,
): Promise<(Probed & { kind: "ready" }) | Probed[]> {
  const unusable: Probed[] = [];
  for (const each of known) {
    const probed = await probe(each, run);
    if (probed.kind === "ready") {
      return probed;
    }
    unusable.push(probed);
  }
  return unusable;
}

export async function probe(known: Known, run: Run): Promise<Probed> {
  const why = reasonAgainst(await askPython(known.python, run));
  return typeof why === "string"
    ? { kind: "unusable", python: known.python, from: known.from, why }
    : { kind: "ready", python: known.python, version: why.version };
}

/** Its version and codeens', or why it does not say. */
export async function askPython(python: string, run: Run): Promise<Found | string> {
  const ended = await run(python, ["-I", "-X", "utf8", "-c", PROBE]);
  if (ended.code !== 0) {
    return ended.code === null ? "it cannot be started" : `it failed: ${lastLine(ended.errors)}`;
  }
  return parsed(ended.output) ?? "it is not a Python";
}

export function suits([major, minor]: readonly [number, number]): "fits" | "old" | "new" {
  const number = major * 1000 + minor;
  if (number < OLDEST[0] * 1000 + OLDEST[1]) {
    return "old";
  }
  return number > NEWEST[0] * 1000 + NEWEST[1] ? "new" : "fits";
}

/** A newer one in which somebody got codeens to work is not refused. */
function reasonAgainst(found: Found | string): string | { version: string } {
  if (typeof found === "string") {
    return found;
  }
  if (suits(found.python) === "old" || (suits(found.python) === "new" && found.codeens === null)) {
    return `it is Python ${found.python.join(".")}, and ${RANGE} is needed`;
  }
  return found.codeens === null ? "codeens is not installed in it" : { version: found.codeens };
}

interface Found {
  readonly python: [number, number];
  readonly codeens: string | null;
}

function parsed(output: string): Found | undefined {
  try {
    const found: unknown = JSON.parse(output);
    return isFound(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isFound(value: unknown): value is Found {
  return typeof value === "object" && value !== null && "python" in value && Array.isArray(value.python);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
