// All runs of the window, the newest first, each as the server shows it.

import * as vscode from "vscode";
import type { KnownRun as Earlier, Reranked, RowView, RunChanged, RunView, ShownRun } from "../protocol";
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
  /** Runs of the workspace that the store has, the newest first. */
  earlier: readonly Earlier[] = [];

  get all(): readonly KnownRun[] {
    return [...this.known.values()].reverse();
  }

  get underWay(): readonly KnownRun[] {
    return this.all.filter((run) => run.view.status === "running");
  }

  /** Those that wait for others, the next one first. */
  get queued(): readonly KnownRun[] {
    return this.all.filter((run) => run.view.status === "queued").reverse();
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

  /** The candidate that stands so many rows further on in the table, of those whose change can be looked at. */
  beside(id: string, candidate: string, step: number): RowView | undefined {
    const view = this.get(id)?.view;
    const ids = view?.groups.flatMap((group) => group.rows) ?? [];
    const rows = ids.flatMap((each) => this.row(id, each) ?? []).filter((row) => row.has_code);
    const at = rows.findIndex((row) => row.id === candidate);
    return rows[(at + step + rows.length) % rows.length];
  }

  take(news: RunChanged): void {
    const { view } = news;
    const before = this.known.get(view.run_id);
    this.spent = news.spent;
    this.known.delete(news.replaces);
    this.put(taken(before, news));
    if (view.status === "interrupted") {
      // It waited, and was cancelled meanwhile: there is nothing of it.
      this.known.delete(view.run_id);
    } else if (view.status === "running" && before?.view.status !== "running") {
      this.shownId = view.run_id;
      this.began.fire(view);
    }
    this.changed.fire();
  }

  /** The server is gone, and all that was under way with it. */
  endAll(failure: string): void {
    for (const run of this.underWay) {
      this.put(ended(run, failure));
    }
    for (const { view } of this.queued) {
      this.known.delete(view.run_id);
    }
    this.changed.fire();
  }

  rank(order: Reranked): void {
    this.put(order);
    this.changed.fire();
  }

  /** Takes in a run that was made before, or elsewhere. */
  recall({ uri, view }: ShownRun): void {
    if (!this.known.has(view.run_id)) {
      this.put({ uri, view });
    }
  }

  remember(earlier: readonly Earlier[]): void {
    this.earlier = earlier;
    this.changed.fire();
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
