// A command of the server that takes long: its progress is shown, with a button that ends it.

import { randomUUID } from "node:crypto";
import * as vscode from "vscode";
import {
  ExecuteCommandRequest,
  type LanguageClient,
  WorkDoneProgress,
  WorkDoneProgressCancelNotification,
} from "vscode-languageclient/node";

/** Executes it; comes back when it ended, and throws what the server refused it with. */
export async function follow(client: LanguageClient, command: string, argument: object): Promise<unknown> {
  const token = randomUUID();
  return vscode.window.withProgress(
    { location: vscode.ProgressLocation.Notification, title: "codeens", cancellable: true },
    async (progress, cancellation) => {
      const bar = new Bar(progress);
      const listening = client.onProgress(WorkDoneProgress.type, token, (news) => bar.take(news));
      const cancelling = cancellation.onCancellationRequested(() =>
        client.sendNotification(WorkDoneProgressCancelNotification.type, { token }),
      );
      try {
        return await client.sendRequest(ExecuteCommandRequest.type, {
          command,
          arguments: [argument],
          workDoneToken: token,
        });
      } finally {
        listening.dispose();
        cancelling.dispose();
      }
    },
  );
}

interface News {
  readonly kind: "begin" | "report" | "end";
  readonly title?: string;
  readonly message?: string;
  readonly percentage?: number;
}

class Bar {
  private percentage = 0;
  private what = "";

  constructor(private readonly progress: vscode.Progress<{ message?: string; increment?: number }>) {}

  take(news: News): void {
    if (news.kind === "end") {
      return;
    }
    this.what = news.title?.replace(/^codeens: /, "") ?? this.what;
    const percentage = Math.max(news.percentage ?? 0, this.percentage);
    const increment = percentage - this.percentage;
    this.percentage = percentage;
    this.progress.report({ message: [this.what, news.message].filter(Boolean).join(" · "), increment });
  }
}
