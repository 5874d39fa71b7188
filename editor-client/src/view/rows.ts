// Candidates as rows of the results view.

import type { Measurement, RankedResult, Run, Verdict } from "../protocol";
import { ORIGINAL } from "../protocol";
import type { LiveCandidate } from "../runs/run";
import * as words from "../runs/words";
import type { Cell, ViewRow } from "./state";

const NOTHING: Cell = { text: "" };
const READABILITY_NOISE = 1;

/** `place`: how many rows stand above it; the number that the command line knows it by. */
export function rowOf(row: RankedResult, run: Run, place: number): ViewRow {
  const isOriginal = row.candidate.id === ORIGINAL;
  const hasPassed = row.verdict.status === "passed";
  const shown = {
    id: row.candidate.id,
    place: row.rank === null ? "" : `${place}${row.tied ? "=" : ""}`,
    name: isOriginal ? "original" : words.label(row.candidate),
    status: isNotRun(row.reason) ? ("broken" as const) : row.verdict.status,
    isBest: row.candidate.id === run.best,
    isOriginal,
    canApply: !isOriginal && row.rank !== null,
    canAskAgain: !isOriginal && !words.isOffline(row.candidate),
    verdict: verdictCell(row.verdict, row.reason, run.mode === "improve"),
    ...measured(
      row,
      isOriginal,
      hasPassed && run.mode === "improve" ? run.original.readability?.score : undefined,
    ),
    cost: isOriginal ? "" : words.money(row.cost_usd),
    why: why(row, isOriginal),
  };
  return { ...shown, spoken: spoken(shown) };
}

export function liveRow(live: LiveCandidate): ViewRow {
  const verdict = live.verdict;
  const shown = {
    id: live.candidate.id,
    place: "",
    name: words.label(live.candidate),
    status: live.broken ? ("broken" as const) : (verdict?.status ?? ("waiting" as const)),
    isBest: false,
    isOriginal: false,
    canApply: false,
    canAskAgain: false,
    verdict: liveVerdict(live),
    ...measured(live.measurement, false, undefined),
    cost: words.money(live.candidate.cost_usd),
    why: [],
  };
  return { ...shown, spoken: spoken(shown) };
}

function liveVerdict(live: LiveCandidate): Cell {
  if (live.broken !== undefined) {
    return { text: `not run: ${live.broken}` };
  }
  return live.verdict ? verdictCell(live.verdict, live.verdict.reason, true) : { text: "waiting" };
}

function verdictCell(verdict: Verdict, reason: string, improving: boolean): Cell {
  if (verdict.status !== "passed") {
    const detail = reason || verdict.reason;
    return isNotRun(detail) ? { text: detail } : { text: verdict.status, detail, trend: "worse" };
  }
  const marks = [words.evidenceOf(verdict, improving)];
  if (verdict.evidence === "agreement" || verdict.evidence === "none") {
    marks.push("not verified");
  }
  if (verdict.sandbox.startsWith("unsafe")) {
    marks.push("NOT ISOLATED");
  }
  return { text: "passed", detail: marks.join(", "), trend: "better" };
}

/** Whether it was not the code that failed: nobody ran it. */
export function isNotRun(reason: string): boolean {
  return reason.startsWith("not run:");
}

type Measured = Pick<ViewRow, "speed" | "memory" | "readable" | "lines">;

function measured(
  of: Measurement | undefined,
  isOriginal: boolean,
  originalScore: number | undefined,
): Measured {
  return {
    speed: of?.speed
      ? {
          text: words.speedRatio(of.speed),
          detail: words.ends(of.speed),
          trend: words.speedTrend(of.speed),
        }
      : NOTHING,
    memory: of?.memory
      ? { text: words.memoryChange(of.memory), trend: words.memoryTrend(of.memory) }
      : NOTHING,
    readable: of?.readability ? readableCell(of.readability.score, originalScore) : NOTHING,
    lines:
      of && !isOriginal && of.diff.added + of.diff.removed > 0 ? { text: words.linesChanged(of) } : NOTHING,
  };
}

function readableCell(score: number, originalScore: number | undefined): Cell {
  const change = originalScore === undefined ? 0 : score - originalScore;
  const trend = Math.abs(change) < READABILITY_NOISE ? "same" : change > 0 ? "better" : "worse";
  return { text: score.toFixed(0), trend };
}

function why(row: RankedResult, isOriginal: boolean): ViewRow["why"] {
  const failure = row.verdict.failure;
  const told = [
    { term: "Reason", text: row.reason },
    { term: "Speed", text: row.speed?.note ?? "" },
    { term: "Judged by", text: isOriginal ? "" : words.evidenceOf(row.verdict, true) },
    { term: "On", text: failure?.where ?? "", isCode: true },
    { term: "Expected", text: failure?.expected ?? "", isCode: true },
    { term: "Got", text: failure?.got ?? "", isCode: true },
    { term: "Traceback", text: failure?.traceback ?? "", isCode: true },
    { term: "Rationale", text: row.candidate.rationale },
    { term: "Also from", text: row.candidate.same_as.join(", ") },
    { term: "Cost", text: isOriginal ? "" : words.money(row.cost_usd) },
    { term: "Ran in", text: row.verdict.sandbox },
  ];
  return told.filter((each) => each.text !== "");
}

function spoken(row: Omit<ViewRow, "spoken">): string {
  const parts = [
    row.place === "" ? "" : `rank ${row.place.replace("=", ", tied")}`,
    row.name,
    row.isBest ? "best" : "",
    `${row.verdict.text} ${row.verdict.detail ?? ""}`.trim(),
    said("speed", row.speed),
    said("memory", row.memory),
    said("readability", row.readable),
    said("lines", row.lines),
  ];
  return parts.filter((part) => part !== "").join("; ");
}

function said(name: string, cell: Cell): string {
  return cell.text === "" ? "" : `${name} ${cell.text}${cell.detail ? ` ${cell.detail}` : ""}`;
}
