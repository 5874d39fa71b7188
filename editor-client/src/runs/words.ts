// Numbers and names as people read them; the same words as the command line's.

import type { Candidate, Interval, Memory, RankedResult, Verdict } from "../protocol";

export const TIMES = "×";
const MINUS = "−";
const OFFLINE = "offline";
const MEMORY_NOISE = 0.05;

export function label(candidate: Candidate): string {
  const prefix = `${candidate.model}-`;
  const isRewrite = candidate.model === OFFLINE && candidate.id.startsWith(prefix);
  return `${candidate.model} · ${isRewrite ? candidate.id.slice(prefix.length) : candidate.variant}`;
}

export function isOffline(candidate: Candidate): boolean {
  return candidate.model === OFFLINE;
}

export function times(ratio: number): string {
  return `${ratio.toFixed(decimals(ratio))}${TIMES}`;
}

export function ends(speed: Interval): string {
  const digits = decimals(speed.low);
  return `[${speed.low.toFixed(digits)}, ${speed.high.toFixed(digits)}]`;
}

export function speedRatio(speed: Interval): string {
  return `${speed.ratio.toFixed(decimals(speed.low))}${TIMES}`;
}

/** Change against the original: `−12 %`, `2.4×`, `same`. */
export function memoryChange(memory: Memory): string {
  if (memory.ratio === null) {
    return bytes(memory.peak_bytes);
  }
  if (memory.ratio >= 2) {
    return times(memory.ratio);
  }
  const change = memory.ratio - 1;
  if (Math.abs(change) < MEMORY_NOISE) {
    return "same";
  }
  return `${change > 0 ? "+" : MINUS}${Math.round(100 * Math.abs(change))} %`;
}

export function memoryTrend(memory: Memory | null): Trend {
  if (memory === null || memory.ratio === null || Math.abs(memory.ratio - 1) < MEMORY_NOISE) {
    return "same";
  }
  return memory.ratio < 1 ? "better" : "worse";
}

export type Trend = "better" | "worse" | "same";

export function speedTrend(speed: Interval | null): Trend {
  if (speed === null) {
    return "same";
  }
  return speed.low > 1 ? "better" : speed.high < 1 ? "worse" : "same";
}

export function evidenceOf(verdict: Verdict, improving: boolean): string {
  const inputs = verdict.passed - verdict.tests_passed;
  const said: string[] = [];
  if (verdict.tests_total) {
    said.push(`${verdict.tests_passed}/${verdict.tests_total} tests`);
  }
  if (inputs > 0) {
    said.push(`${inputs} ${inputs === 1 ? "input" : "inputs"} ${improving ? "equal" : "right"}`);
  }
  return said.join(", ") || "nothing was checked";
}

export function linesChanged(row: Pick<RankedResult, "diff">): string {
  return `+${row.diff.added} ${MINUS}${row.diff.removed}`;
}

export function money(usd: number | null): string {
  if (usd === null) {
    return "?";
  }
  return `$${usd === 0 || usd >= 1 ? usd.toFixed(2) : usd.toFixed(4)}`;
}

export function bytes(count: number): string {
  if (count < 1024) {
    return `${count} B`;
  }
  return count < 1024 ** 2 ? `${(count / 1024).toFixed(0)} KiB` : `${(count / 1024 ** 2).toFixed(1)} MiB`;
}

export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function decimals(ratio: number): number {
  return ratio < 1.5 ? 2 : ratio < 20 ? 1 : 0;
}
