// Which Python runs the server: the first of those that are known which has codeens.

import type { Ended } from "./programs";

const OLDEST = [3, 11] as const;

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
  const ended = await run(known.python, ["-I", "-X", "utf8", "-c", PROBE]);
  const why = reasonAgainst(ended);
  return typeof why === "string"
    ? { kind: "unusable", python: known.python, from: known.from, why }
    : { kind: "ready", python: known.python, version: why.version };
}

function reasonAgainst(ended: Ended): string | { version: string } {
  if (ended.code !== 0) {
    return ended.code === null ? "it cannot be started" : `it failed: ${lastLine(ended.errors)}`;
  }
  const found = parsed(ended.output);
  if (found === undefined) {
    return "it is not a Python";
  }
  const [major, minor] = found.python;
  if (major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1])) {
    return `it is Python ${major}.${minor}, and ${OLDEST.join(".")} or later is needed`;
  }
  return found.codeens === null ? "codeens is not installed in it" : { version: found.codeens };
}

function parsed(output: string): { python: [number, number]; codeens: string | null } | undefined {
  try {
    const found: unknown = JSON.parse(output);
    return isFound(found) ? found : undefined;
  } catch {
    return undefined;
  }
}

function isFound(value: unknown): value is { python: [number, number]; codeens: string | null } {
  return typeof value === "object" && value !== null && "python" in value && Array.isArray(value.python);
}

function lastLine(text: string): string {
  return text.trim().split("\n").at(-1) ?? "";
}
