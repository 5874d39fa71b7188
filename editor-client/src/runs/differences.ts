// The smallest inputs on which groups of candidates differ, numbered as the server numbers them.

import type { DistinguishingInput, Run } from "../protocol";

export interface Numbered {
  readonly number: number;
  readonly group: number;
  readonly difference: DistinguishingInput;
}

export function numberedDifferences(run: Run): Numbered[] {
  const told = run.clusters.flatMap((cluster) =>
    cluster.differences
      .filter((difference) => !isToldByOther(run, cluster.index, difference))
      .map((difference) => ({ group: cluster.index, difference })),
  );
  return told.map((each, at) => ({ ...each, number: at + 1 }));
}

function isToldByOther(run: Run, group: number, difference: DistinguishingInput): boolean {
  if (difference.other >= group) {
    return false;
  }
  const other = run.clusters.find((cluster) => cluster.index === difference.other);
  return other?.differences.some((mirrored) => mirrored.other === group) ?? false;
}
