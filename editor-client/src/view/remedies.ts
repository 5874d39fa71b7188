// What the buttons that mend a failure say.

import type { Remedy } from "../protocol";

export const REMEDIES: Readonly<Record<Remedy, string>> = {
  key: "Add Key",
  models: "Choose Models",
  later: "Run Again",
  budget: "Open Settings",
  time: "Open Settings",
};
