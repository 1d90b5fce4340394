/**
 * Finds the knee: the highest rate at which the SLO is kept.
 *
 * 1. The rate doubles from the first until a step misses the SLO; if the first misses, it halves.
 * 2. The gap between the highest kept and the lowest missed is halved until it is within 10 %.
 * 3. A step whose generator lagged is made again; if it lags again, the sweep ends there: what is above it cannot be
 *    measured from here.
 */

export interface Step {
  readonly rate: number;
  readonly outcome: "kept" | "missed" | "lagged";
}

export interface Knee<S extends Step> {
  /** In the order in which they were made. */
  readonly steps: readonly S[];
  /** Requests per second; `null` if no rate kept it. */
  readonly rate: number | null;
  /** Found: the next rate up was missed. Else the generator or the number of steps was the limit. */
  readonly found: boolean;
}

const CLOSE_ENOUGH = 0.1;
/** How far below the first rate it looks. */
const LOWEST = 1 / 64;
const MOST_STEPS = 24;

/** @param signal aborted: no further step is begun. */
export async function findKnee<S extends Step>(
  first: number,
  measure: (rate: number) => Promise<S>,
  signal: AbortSignal,
): Promise<Knee<S>> {
  const steps: S[] = [];
  const measured = async (rate: number) => {
    const step = await measure(rate);
    steps.push(step);
    return step;
  };
  let kept = 0;
  let missed = Number.POSITIVE_INFINITY;
  for (let rate = first; steps.length < MOST_STEPS && !signal.aborted; rate = between(kept, missed, first)) {
    let step = await measured(rate);
    if (step.outcome === "lagged" && !signal.aborted) step = await measured(rate);
    if (step.outcome === "lagged") break;
    if (step.outcome === "kept") kept = rate;
    else missed = rate;
    if (missed - kept <= CLOSE_ENOUGH * kept) return { steps, rate: kept, found: true };
    if (kept === 0 && missed <= first * LOWEST) return { steps, rate: null, found: true };
  }
  return { steps, rate: kept || null, found: false };
}

function between(kept: number, missed: number, first: number): number {
  if (missed === Number.POSITIVE_INFINITY) return kept === 0 ? first : kept * 2;
  return round((kept + missed) / 2);
}

/** Three digits: `37.5`, not `37.4999`. */
function round(rate: number): number {
  return Number(rate.toPrecision(3));
}
