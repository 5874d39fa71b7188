// All runs of the window, the newest first.

import * as vscode from "vscode";
import type { EventParams, FailureParams, RankedResult, Reranked, ShownRun } from "../protocol";
import { inOrder } from "./ranking";
import { after, begun, ended, type RunState, recalled } from "./run";

const MOST_KEPT = 50;

export class Runs implements vscode.Disposable {
  private readonly states = new Map<string, RunState>();
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly began = new vscode.EventEmitter<RunState>();
  readonly onDidBegin = this.began.event;
  private shownId: string | undefined;

  get all(): readonly RunState[] {
    return [...this.states.values()].reverse();
  }

  get underWay(): readonly RunState[] {
    return this.all.filter((state) => state.status === "running");
  }

  get shown(): string | undefined {
    return this.shownId;
  }

  get costUsd(): number {
    return this.all.reduce((sum, state) => sum + state.costUsd, 0);
  }

  get(id: string): RunState | undefined {
    return this.states.get(id);
  }

  row(id: string, candidate: string): RankedResult | undefined {
    const run = this.states.get(id)?.run;
    return [run?.original, ...(run?.results ?? [])].find((row) => row?.candidate.id === candidate);
  }

  take(params: EventParams | FailureParams): void {
    if ("failure" in params) {
      this.end(params.runId, params.failure);
      return;
    }
    const known = this.states.get(params.runId);
    const state = known ? after(known, params.event) : begun(params);
    if (state === undefined) {
      return;
    }
    this.put(state);
    if (params.event.event === "run_started") {
      this.shownId = state.id;
      this.began.fire(state);
    }
    this.changed.fire();
  }

  end(id: string, failure: string | undefined): void {
    const state = this.states.get(id);
    if (state?.status === "running") {
      this.put(ended(state, failure));
      this.changed.fire();
    }
  }

  /** The server is gone, and all that was under way with it. */
  endAll(failure: string): void {
    for (const state of this.underWay) {
      this.end(state.id, failure);
    }
  }

  rank(order: Reranked): void {
    const state = this.states.get(order.runId);
    if (state?.run) {
      this.put({ ...state, run: inOrder(state.run, order), weights: order.weights });
      this.changed.fire();
    }
  }

  /** Takes in a run that was made before, or elsewhere. */
  recall(shown: ShownRun): void {
    if (!this.states.has(shown.run.run_id)) {
      this.put(recalled(shown));
    }
  }

  show(id: string): void {
    this.shownId = id;
    this.changed.fire();
  }

  dispose(): void {
    this.changed.dispose();
    this.began.dispose();
  }

  private put(state: RunState): void {
    this.states.set(state.id, state);
    const oldest = this.states.keys().next().value;
    if (this.states.size > MOST_KEPT && oldest !== undefined) {
      this.states.delete(oldest);
    }
  }
}
