// From runs to what the results view shows.

import type { Goal, RankedResult, Run } from "../protocol";
import { ORIGINAL } from "../protocol";
import { numberedDifferences } from "../runs/differences";
import { executed, passed, type RunState } from "../runs/run";
import * as words from "../runs/words";
import { isNotRun, liveRow, rowOf } from "./rows";
import type { ViewDifference, ViewGroup, ViewRun } from "./state";

export function viewRun(state: RunState): ViewRun {
  const common = {
    id: state.id,
    title: state.qualname.split("<locals>.").at(-1) ?? state.qualname,
    file: state.uri.split("/").at(-1) ?? "",
    status: state.status,
    headline: headline(state),
    goal: state.goal as Goal,
  };
  if (state.status === "running" || state.run === undefined) {
    return { ...common, ...underWay(state) };
  }
  return {
    ...common,
    goal: state.run.goal,
    summary: summary(state.run),
    groups: groups(state.run),
    differences: differences(state.run),
    notes: notes(state.run),
    ...(state.weights ? { weights: state.weights } : {}),
  };
}

function headline(state: RunState): string {
  if (state.failure !== undefined) {
    return state.failure;
  }
  return state.status === "running" ? state.doing : (state.run?.headline ?? "");
}

function underWay(
  state: RunState,
): Pick<ViewRun, "summary" | "groups" | "differences" | "notes" | "progress"> {
  const rows = [...state.live.values()].map(liveRow);
  const done = executed(state);
  const counted = `${state.generated}/${state.planned} generated, ${done} executed, ${passed(state)} correct, `;
  return {
    summary: `${state.planned ? counted : ""}${words.money(state.costUsd)}`,
    ...(state.status === "running"
      ? { progress: { done: state.generated + done, of: 2 * state.planned } }
      : {}),
    groups: rows.length ? [{ id: "live", title: "Candidates so far", detail: "", rows }] : [],
    differences: [],
    notes: [],
  };
}

function summary(run: Run): string {
  const { coverage, tests, cases } = run.evidence;
  const said = [
    tests.length ? words.plural(tests.length, "test") : "",
    words.plural(cases.length, "input"),
    coverage?.total ? `${Math.round((100 * coverage.hit) / coverage.total)} % of the lines` : "",
    `${run.summary.cost_known ? "" : "at least "}${words.money(run.summary.cost_usd)}`,
    `${run.summary.wall_s.toFixed(0)} s`,
    run.summary.stopped ? `ended early: ${run.summary.stopped}` : "",
  ];
  return said.filter((part) => part !== "").join(" · ");
}

function notes(run: Run): string[] {
  return [...run.evidence.notes, ...run.summary.failures.map((failure) => `failed: ${failure}`)];
}

/** Groups of the same behaviour, in the order of their best rows; what was rejected stands last. */
function groups(run: Run): ViewGroup[] {
  const rows = [run.original, ...run.results];
  const ranked = rows.filter((row) => row.rank !== null && !isFailingOriginal(row));
  const others = rows.filter((row) => row.rank === null && row.candidate.id !== ORIGINAL);
  const unranked = rows.filter(isFailingOriginal);
  const indexes = [...new Set(ranked.map((row) => row.cluster))];
  const shown = indexes.map((index) => {
    const members = ranked.filter((row) => row.cluster === index);
    return group(run, `group-${index}`, groupName(run, index), members);
  });
  const rest = [
    group(run, "original", "The original", unranked),
    group(
      run,
      "rejected",
      "Rejected",
      others.filter((row) => !isNotRun(row.reason)),
    ),
    group(
      run,
      "not-run",
      "Not run",
      others.filter((row) => isNotRun(row.reason)),
    ),
  ];
  return [...shown, ...rest].filter((each) => each.rows.length > 0);
}

function isFailingOriginal(row: RankedResult): boolean {
  return row.candidate.id === ORIGINAL && row.verdict.status !== "passed";
}

function group(run: Run, id: string, title: string, rows: readonly RankedResult[]): ViewGroup {
  return {
    id,
    title,
    detail: words.plural(rows.length, "version"),
    rows: rows.map((row) => rowOf(row, run, run.results.indexOf(row) + 1)),
  };
}

function groupName(run: Run, index: number | null): string {
  if (index === null) {
    return "Behaviour not compared";
  }
  const cluster = run.clusters.find((each) => each.index === index);
  return cluster?.members.includes(ORIGINAL) ? "Behaves as the original" : `Group ${index}`;
}

function differences(run: Run): ViewDifference[] {
  return numberedDifferences(run).map(({ number, group: here, difference }) => ({
    number,
    call: difference.call,
    sides: [
      { group: here, name: sideName(run, here), result: difference.here },
      { group: difference.other, name: sideName(run, difference.other), result: difference.there },
    ],
    mustChoose: run.mode !== "improve",
  }));
}

function sideName(run: Run, index: number): string {
  const cluster = run.clusters.find((each) => each.index === index);
  if (cluster?.members.includes(ORIGINAL)) {
    return "original";
  }
  const rows = run.results.filter((row) => row.cluster === index);
  const first = rows[0];
  if (first === undefined) {
    return `group ${index}`;
  }
  return rows.length > 1
    ? `${words.label(first.candidate)} and ${rows.length - 1} more`
    : words.label(first.candidate);
}
