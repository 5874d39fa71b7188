// The extension on the other side, and what the view remembers while it is hidden.

import type { ColumnKey } from "../protocol";
import type { FromView } from "../view/state";

/** A column that rows are put in order by, and whether from the other end. */
export interface Order {
  readonly by: ColumnKey;
  readonly isReversed: boolean;
}

interface Remembered {
  readonly open: readonly string[];
  readonly order?: Order | undefined;
}

const api = acquireVsCodeApi<Remembered>();
const open = new Set(api.getState()?.open ?? []);
let order: Order | undefined = api.getState()?.order;

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
  remember();
}

/** What rows are in order of; undefined: of the ranking, in groups. */
export function chosenOrder(): Order | undefined {
  return order;
}

export function chooseOrder(chosen: Order | undefined): void {
  order = chosen;
  remember();
}

function remember(): void {
  api.setState({ open: [...open], order });
}
