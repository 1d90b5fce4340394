/** The progress bar: on stderr, and only where that is a terminal. */
import { SingleBar } from "cli-progress";
import type { Tally } from "./tally.ts";

export interface Progress {
  update(tally: Tally): void;
  /** Takes the bar away and gives the cursor back. */
  stop(): void;
}

export function showProgress(requests: number): Progress {
  const bar = new SingleBar({
    format: "[{bar}] {value}/{total}, {failed} failed, {eta_formatted} left",
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  bar.start(requests, 0, { failed: 0 });
  return {
    update: (tally) => bar.update(tally.requests, { failed: tally.failed }),
    stop: () => bar.stop(),
  };
}
