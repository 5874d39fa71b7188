// What the results view shows, as it is sent to it, and what it sends back. Everything is text already.

import type { Goal, Status, Weights } from "../protocol";
import type { Trend } from "../runs/words";

export interface Cell {
  readonly text: string;
  readonly detail?: string;
  readonly trend?: Trend;
}

export interface ViewRow {
  readonly id: string;
  readonly place: string;
  readonly name: string;
  readonly status: Status | "waiting" | "broken";
  readonly isBest: boolean;
  readonly isOriginal: boolean;
  readonly canApply: boolean;
  readonly canAskAgain: boolean;
  readonly verdict: Cell;
  readonly speed: Cell;
  readonly memory: Cell;
  readonly readable: Cell;
  readonly lines: Cell;
  readonly cost: string;
  readonly why: readonly { readonly term: string; readonly text: string; readonly isCode?: boolean }[];
  /** What a screen reader says of the row. */
  readonly spoken: string;
}

export interface ViewGroup {
  readonly id: string;
  readonly title: string;
  readonly detail: string;
  readonly rows: readonly ViewRow[];
}

export interface ViewDifference {
  readonly number: number;
  readonly call: string;
  readonly sides: readonly { readonly group: number; readonly name: string; readonly result: string }[];
  /** Whether somebody must say which side is right; else the original is. */
  readonly mustChoose: boolean;
}

export interface ViewRun {
  readonly id: string;
  readonly title: string;
  readonly file: string;
  readonly status: "running" | "done" | "failed";
  readonly summary: string;
  readonly progress?: { readonly done: number; readonly of: number };
  readonly headline: string;
  readonly groups: readonly ViewGroup[];
  readonly differences: readonly ViewDifference[];
  readonly notes: readonly string[];
  readonly goal: Goal;
  readonly weights?: Weights;
}

export type ViewState =
  | { readonly kind: "untrusted" }
  | { readonly kind: "starting" }
  | { readonly kind: "noServer"; readonly message: string; readonly canInstall: boolean }
  | { readonly kind: "runs"; readonly runs: readonly ViewRun[]; readonly shown: string | undefined };

export type RowAction = "diff" | "apply" | "copy" | "askAgain";

export type FromView =
  | { readonly kind: "ready" }
  | { readonly kind: "show"; readonly run: string }
  | { readonly kind: "row"; readonly action: RowAction; readonly run: string; readonly candidate: string }
  | { readonly kind: "rerun"; readonly run: string }
  | { readonly kind: "cancel"; readonly run: string }
  | { readonly kind: "keep"; readonly run: string; readonly number: number; readonly right?: number }
  | { readonly kind: "weigh"; readonly run: string; readonly goal: Goal; readonly weights?: Weights }
  | { readonly kind: "command"; readonly command: ViewCommand };

/** The commands that the view may have executed. */
export type ViewCommand = "trust" | "install" | "choosePython" | "log" | "restart" | "start" | "run";
