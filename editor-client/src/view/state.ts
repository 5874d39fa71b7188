// What the results view is sent, and what it sends back. Every word of a run is the server's.

import type { KnownRun as Earlier, Goal, Remedy, Weights } from "../protocol";
import type { KnownRun } from "../runs/run";

export type ViewState =
  | { readonly kind: "untrusted" }
  | { readonly kind: "starting" }
  | { readonly kind: "noServer"; readonly message: string; readonly canInstall: boolean }
  | {
      readonly kind: "runs";
      readonly runs: readonly KnownRun[];
      /** Of the workspace, as the store has them. */
      readonly earlier: readonly Earlier[];
      readonly shown: string | undefined;
    };

export type RowAction = "diff" | "apply" | "copy" | "askAgain";

export type FromView =
  | { readonly kind: "ready" }
  | { readonly kind: "show"; readonly run: string }
  | { readonly kind: "row"; readonly action: RowAction; readonly run: string; readonly candidate: string }
  | { readonly kind: "rerun"; readonly run: string }
  | { readonly kind: "cancel"; readonly run: string }
  | { readonly kind: "pin"; readonly run: string; readonly number: number; readonly right?: number }
  | { readonly kind: "refuse"; readonly run: string; readonly condition: string }
  | { readonly kind: "weigh"; readonly run: string; readonly goal: Goal; readonly weights?: Weights }
  | { readonly kind: "mend"; readonly run: string; readonly remedy: Remedy }
  | { readonly kind: "command"; readonly command: ViewCommand };

/** The commands that the view may have executed. */
export type ViewCommand = "trust" | "install" | "choosePython" | "log" | "restart" | "start" | "run";
