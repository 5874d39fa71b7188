// The extension on the other side, and what the view remembers while it is hidden.

import type { FromView } from "../view/state";

interface Remembered {
  readonly open: readonly string[];
}

const api = acquireVsCodeApi<Remembered>();
const open = new Set(api.getState()?.open ?? []);

export function send(message: FromView): void {
  api.postMessage(message);
}

/** Whether something that can be opened and closed is not as it is at first. */
export function isToggled(key: string): boolean {
  return open.has(key);
}

export function toggle(key: string): void {
  if (!open.delete(key)) {
    open.add(key);
  }
  api.setState({ open: [...open] });
}
