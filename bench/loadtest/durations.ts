/** A distribution of durations in a high dynamic range histogram: microseconds, 3 significant digits. */
import { build, type JsHistogram } from "hdr-histogram-js";

const US_PER_MS = 1_000;

/** All figures in milliseconds, within 0.1 % or a microsecond of the exact ones; `null` where nothing was. */
export class Durations {
  readonly #us: JsHistogram;

  /** @param digits fewer are coarser and smaller: 2 are within 1 %, in a tenth of the memory. */
  constructor(digits: 2 | 3 = 3) {
    this.#us = build({ lowestDiscernibleValue: 1, numberOfSignificantValueDigits: digits }) as JsHistogram;
  }

  record(elapsed_ms: number): void {
    this.#us.recordValue(Math.round(elapsed_ms * US_PER_MS));
  }

  get count(): number {
    return this.#us.totalCount;
  }

  /** The shortest duration that `percent` of all do not exceed; 0 and 100 give the extremes. */
  percentile(percent: number): number | null {
    // The histogram answers with the top of a bucket, which may lie above the longest duration in it.
    return this.#ms(Math.min(this.#us.getValueAtPercentile(percent), this.#us.maxValue));
  }

  get mean(): number | null {
    return this.#ms(this.#us.mean);
  }

  /** Every bucket that holds something, as its upper end in ms and how many are in it, ascending. */
  buckets(): [up_to_ms: number, count: number][] {
    const filled: [number, number][] = [];
    const iterator = this.#us.recordedValuesIterator;
    iterator.reset();
    while (iterator.hasNext()) {
      const { valueIteratedTo, countAtValueIteratedTo } = iterator.next();
      filled.push([valueIteratedTo / US_PER_MS, countAtValueIteratedTo]);
    }
    return filled;
  }

  #ms(us: number): number | null {
    return this.#us.totalCount === 0 ? null : Math.round(us) / US_PER_MS;
  }
}
