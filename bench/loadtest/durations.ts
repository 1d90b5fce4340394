/** A distribution of durations in a high dynamic range histogram: microseconds, 3 significant digits. */
import { build } from "hdr-histogram-js";

const US_PER_MS = 1_000;

/** All figures in milliseconds, within 0.1 % or a microsecond of the exact ones; `null` where nothing was. */
export class Durations {
  readonly #us = build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: 3 });

  record(elapsed_ms: number): void {
    this.#us.recordValue(Math.round(elapsed_ms * US_PER_MS));
  }

  /** The shortest duration that `percent` of all do not exceed; 0 and 100 give the extremes. */
  percentile(percent: number): number | null {
    // The histogram answers with the top of a bucket, which may lie above the longest duration in it.
    return this.#ms(Math.min(this.#us.getValueAtPercentile(percent), this.#us.maxValue));
  }

  get mean(): number | null {
    return this.#ms(this.#us.mean);
  }

  #ms(us: number): number | null {
    return this.#us.totalCount === 0 ? null : Math.round(us) / US_PER_MS;
  }
}
