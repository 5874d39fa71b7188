// All runs of the window, the newest first, each as the server shows it.

import * as vscode from "vscode";
import type { Reranked, RowView, RunChanged, RunView, ShownRun } from "../protocol";
import { ended, type KnownRun, taken } from "./run";

const MOST_KEPT = 50;

export class Runs implements vscode.Disposable {
  private readonly known = new Map<string, KnownRun>();
  private readonly changed = new vscode.EventEmitter<void>();
  readonly onDidChange = this.changed.event;
  private readonly began = new vscode.EventEmitter<RunView>();
  readonly onDidBegin = this.began.event;
  private shownId: string | undefined;
  /** What the window's runs have cost so far. */
  spent: string | undefined;

  get all(): readonly KnownRun[] {
    return [...this.known.values()].reverse();
  }

  get underWay(): readonly RunView[] {
    return this.all.map((run) => run.view).filter((view) => view.status === "running");
  }

  get shown(): string | undefined {
    return this.shownId;
  }

  get(id: string | null | undefined): KnownRun | undefined {
    return id ? this.known.get(id) : undefined;
  }

  row(id: string | null | undefined, candidate: string): RowView | undefined {
    return this.get(id)?.view.rows.find((row) => row.id === candidate);
  }

  take(news: RunChanged): void {
    const { view } = news;
    const before = this.known.get(view.run_id);
    this.spent = news.spent;
    this.put(taken(before, news));
    if (view.status === "running" && before?.view.status !== "running") {
      this.shownId = view.run_id;
      this.began.fire(view);
    }
    this.changed.fire();
  }

  /** The server is gone, and all that was under way with it. */
  endAll(failure: string): void {
    for (const { run_id } of this.underWay) {
      const run = this.known.get(run_id);
      if (run) {
        this.put(ended(run, failure));
      }
    }
    this.changed.fire();
  }

  rank(order: Reranked): void {
    this.put({ uri: order.uri, view: order.view, weights: order.weights });
    this.changed.fire();
  }

  /** Takes in a run that was made before, or elsewhere. */
  recall({ uri, view }: ShownRun): void {
    if (!this.known.has(view.run_id)) {
      this.put({ uri, view });
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

  private put(run: KnownRun): void {
    this.known.set(run.view.run_id, run);
    const oldest = this.known.keys().next().value;
    if (this.known.size > MOST_KEPT && oldest !== undefined) {
      this.known.delete(oldest);
    }
  }
}
