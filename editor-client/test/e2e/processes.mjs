// Processes that stem from another, as Linux tells of them.

import { readdirSync, readFileSync } from "node:fs";

/** Those below `root` whose command line has `word` in it. */
export function descendants(root, word) {
  const all = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => read(Number(name)));
  const family = new Set([root]);
  for (let grown = true; grown; ) {
    const born = all.filter((each) => family.has(each.parent) && !family.has(each.pid));
    for (const each of born) {
      family.add(each.pid);
    }
    grown = born.length > 0;
  }
  return all.filter((each) => each.pid !== root && family.has(each.pid) && each.command.includes(word));
}

function read(pid) {
  try {
    const command = readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return state === "Z" ? [] : [{ pid, parent: Number(parent), command }];
  } catch {
    return []; // it ended meanwhile
  }
}

/** Far longer than anything takes, so that only what never comes is missed. */
export const WITHIN_MS = 120_000;

export async function until(what, isSo) {
  const late = Date.now() + WITHIN_MS;
  while (!(await isSo())) {
    if (Date.now() > late) {
      throw new Error(`not within ${WITHIN_MS} ms: ${what}`);
    }
    await new Promise((later) => setTimeout(later, 50));
  }
}

/** Tries again and again, each time with more milliseconds: what a slow machine needs must not be cut short for ever. */
export async function untilTried(what, attempt) {
  let patience = 1000;
  await until(what, async () => {
    patience *= 2;
    return attempt(patience).then(
      () => true,
      () => false,
    );
  });
}
