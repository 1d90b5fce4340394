/** What the process ends with; `--help` says the same in words. */
import type { Verdict } from "./verdict.ts";

export const EXIT = {
  passed: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  interrupted: 130,
} as const satisfies Record<Verdict["kind"] | "usage" | "interrupted", number>;
