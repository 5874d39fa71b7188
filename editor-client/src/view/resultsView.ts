// The results, in the side bar and, where there is more room, in an editor: the same page, fed with the same state.

import * as vscode from "vscode";
import { page } from "./html";
import type { FromView, ViewState } from "./state";

const VIEW = "codeens.results";
const AT_MOST_EVERY_MS = 100;

export class ResultsView implements vscode.WebviewViewProvider, vscode.Disposable {
  private readonly webviews = new Set<vscode.Webview>();
  private readonly registered: vscode.Disposable;
  private view: vscode.WebviewView | undefined;
  private panel: vscode.WebviewPanel | undefined;
  private isScheduled = false;

  constructor(
    private readonly extension: vscode.Uri,
    private readonly state: () => ViewState,
    private readonly take: (message: FromView) => void,
  ) {
    this.registered = vscode.window.registerWebviewViewProvider(VIEW, this);
  }

  get isVisible(): boolean {
    return Boolean(this.view?.visible || this.panel?.visible);
  }

  resolveWebviewView(view: vscode.WebviewView): void {
    this.view = view;
    this.attach(view.webview);
    view.onDidDispose(() => {
      this.view = undefined;
      this.webviews.delete(view.webview);
    });
  }

  async reveal(preserveFocus: boolean): Promise<void> {
    if (this.panel?.visible) {
      this.panel.reveal(undefined, preserveFocus);
    } else {
      await vscode.commands.executeCommand(`${VIEW}.focus`, { preserveFocus });
    }
  }

  openInEditor(): void {
    if (this.panel) {
      this.panel.reveal();
      return;
    }
    const panel = vscode.window.createWebviewPanel(VIEW, "codeens: Results", vscode.ViewColumn.Active, {
      enableFindWidget: true,
    });
    const icon = (name: string) => vscode.Uri.joinPath(this.extension, "media", name);
    panel.iconPath = { light: icon("tab.svg"), dark: icon("activity.svg") };
    this.panel = panel;
    this.attach(panel.webview);
    panel.onDidDispose(() => {
      this.panel = undefined;
      this.webviews.delete(panel.webview);
    });
  }

  /** Shows what is true now; many calls in a moment show once. */
  refresh(): void {
    if (this.isScheduled) {
      return;
    }
    this.isScheduled = true;
    setTimeout(() => {
      this.isScheduled = false;
      for (const webview of this.webviews) {
        void webview.postMessage(this.state());
      }
    }, AT_MOST_EVERY_MS);
  }

  dispose(): void {
    this.registered.dispose();
    this.panel?.dispose();
  }

  private attach(webview: vscode.Webview): void {
    this.webviews.add(webview);
    webview.options = {
      enableScripts: true,
      localResourceRoots: [vscode.Uri.joinPath(this.extension, "dist")],
    };
    webview.onDidReceiveMessage((message: FromView) => {
      if (message.kind === "ready") {
        void webview.postMessage(this.state());
      } else {
        this.take(message);
      }
    });
    webview.html = page(webview, this.extension);
  }
}
