// The page of the results view: nothing in it but a script and a style of the extension's own.

import { randomBytes } from "node:crypto";
import * as vscode from "vscode";

export function page(webview: vscode.Webview, extension: vscode.Uri): string {
  const dist = vscode.Uri.joinPath(extension, "dist");
  const script = webview.asWebviewUri(vscode.Uri.joinPath(dist, "results.js"));
  const style = webview.asWebviewUri(vscode.Uri.joinPath(dist, "results.css"));
  const nonce = randomBytes(16).toString("base64url");
  const policy = `default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${style}">
<title>codeens</title>
</head>
<body>
<main id="results"></main>
<div id="announcer" class="unseen" role="status" aria-live="polite"></div>
<script nonce="${nonce}" src="${script}"></script>
</body>
</html>`;
}
