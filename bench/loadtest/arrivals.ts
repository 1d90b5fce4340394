/**
 * When requests are to be sent, whatever becomes of those before them. A rate that ramps has its arrivals
 * where the expected number of requests so far reaches the next whole one (constant) or the next point of
 * a Poisson process of rate 1: so both spread over a ramp as over a plateau.
 */
import { randomNumbers } from "./random.ts";

/** Requests per second go evenly from `from` to `to` within `duration_ms`, which may be Infinity if they are equal. */
export interface Ramp {
  readonly duration_ms: number;
  readonly from: number;
  readonly to: number;
}

export type Spacing = "poisson" | "constant";

const SEED = 1;

/** Milliseconds from the start, ascending, until the last ramp ends; the same ones each time for a seed. */
export function* arrivals(ramps: readonly Ramp[], spacing: Spacing, seed = SEED): Generator<number> {
  const random = randomNumbers(seed);
  const step = spacing === "constant" ? () => 1 : () => -Math.log(1 - random());
  let expected = spacing === "constant" ? 0.5 : step();
  let began_ms = 0;
  for (const { duration_ms, from, to } of ramps) {
    const duration_s = duration_ms / 1_000;
    const all = ((from + to) / 2) * duration_s;
    const slope = (to - from) / duration_s;
    // The time at which from * t + slope / 2 * t^2 is `expected`, in the form that holds for a slope of 0.
    for (; expected < all; expected += step())
      yield began_ms + (2_000 * expected) / (from + Math.sqrt(from ** 2 + 2 * slope * expected));
    expected -= all;
    began_ms += duration_ms;
  }
}
