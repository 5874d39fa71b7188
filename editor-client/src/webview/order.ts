// The order of rows that the user chose by a heading. Pure.

import type { ColumnKey, RowView } from "../protocol";

/** What is best stands first: more speed, less memory, more readable, fewer lines. */
const VALUES: Readonly<Partial<Record<ColumnKey, (row: RowView) => number | string | null>>> = {
  candidate: (row) => row.label.toLowerCase(),
  verdict: (row) => row.status,
  speed: (row) => negative(row.numbers.speed),
  memory: (row) => row.numbers.memory,
  readability: (row) => negative(row.numbers.readability),
  lines: (row) => row.numbers.lines,
};

export function isSortable(key: ColumnKey): boolean {
  return key in VALUES;
}

/** Rows in the order of a column; those of which it is not known stand last, whichever way round. */
export function sorted(rows: readonly RowView[], by: ColumnKey, isReversed: boolean): RowView[] {
  const value = VALUES[by] ?? (() => null);
  const known = rows.filter((row) => value(row) !== null);
  const unknown = rows.filter((row) => value(row) === null);
  known.sort((left, right) => compared(value(left), value(right)));
  return [...(isReversed ? known.reverse() : known), ...unknown];
}

function negative(value: number | null): number | null {
  return value === null ? null : -value;
}

function compared(left: number | string | null, right: number | string | null): number {
  if (left === right || left === null || right === null) {
    return 0;
  }
  return left < right ? -1 : 1;
}
