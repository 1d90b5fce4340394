/** The progress bar: on stderr, and only where that is a terminal. */
import { SingleBar } from "cli-progress";
import type { Tally } from "./tally.ts";

export interface Progress {
  update(tally: Tally): void;
  /** Takes the bar away and gives the cursor back. */
  stop(): void;
}

/** @param until the run's requests; or `duration_ms`, where it ends by time. */
export function showProgress(
  until: { readonly requests: number } | { readonly duration_ms: number },
): Progress {
  const unit = "requests" in until ? "" : " s";
  const bar = new SingleBar({
    format: `[{bar}] {value}/{total}${unit}, {failed} failed, {eta_formatted} left`,
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  });
  const started = performance.now();
  const total = "requests" in until ? until.requests : Math.ceil(until.duration_ms / 1_000);
  const value = (tally: Tally) =>
    "requests" in until ? tally.requests : Math.min(total, Math.floor((performance.now() - started) / 1_000));
  bar.start(total, 0, { failed: 0 });
  return {
    update: (tally) => bar.update(value(tally), { failed: tally.failed }),
    stop: () => bar.stop(),
  };
}
