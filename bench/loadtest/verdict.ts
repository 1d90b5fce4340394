/** Whether a run passed, and if not, why. */
import type { CrossCheck } from "./cross-check.ts";
import type { LoadCheck } from "./load-counters.ts";
import type { SloResult } from "./slo.ts";
import type { Tally } from "./tally.ts";

export interface Verdict {
  /** Refused: the run does not say. */
  readonly kind: "passed" | "failed" | "refused";
  /** One line each; empty if it passed. */
  readonly reasons: readonly string[];
}

export interface Evidence {
  readonly tally: Tally;
  readonly slo: SloResult | null;
  readonly max_lag_ms: number;
  readonly crossCheck?: CrossCheck;
  readonly loads?: LoadCheck;
}

/** A wrong answer or a leak is one however late it was asked for; all else needs the load to have been the right one. */
export function judge({ tally, slo, max_lag_ms, crossCheck, loads }: Evidence): Verdict {
  const wrong: string[] = [];
  if (crossCheck && crossCheck.crossed.length > 0)
    wrong.push(`${crossCheck.crossed.length} of ${crossCheck.checked} answers were not for their question`);
  if (loads?.kind === "leaked")
    wrong.push(
      `load counters are not 0: ${Object.entries(loads.loads)
        .map(([url, load]) => `${url} ${load}`)
        .join(", ")}`,
    );
  if (wrong.length > 0) return { kind: "failed", reasons: wrong };

  const unsure: string[] = [];
  const lag_ms = tally.generator_lag_ms;
  if (lag_ms !== null && lag_ms > max_lag_ms)
    unsure.push(
      `the generator lagged by ${lag_ms.toFixed(1)} ms (P99, at most ${max_lag_ms}): ask for less, or from another machine`,
    );
  if (loads?.kind === "unknown") unsure.push(`the load counters could not be read: ${loads.reason}`);
  if (unsure.length > 0) return { kind: "refused", reasons: unsure };

  const missed = slo ? missedObjectives(slo) : failures(tally);
  return { kind: missed.length > 0 ? "failed" : "passed", reasons: missed };
}

function missedObjectives({
  met,
  objectives,
  goodput_wanted,
  goodput_rps,
  goodput_share,
}: SloResult): string[] {
  if (met) return [];
  if (!goodput_wanted)
    return objectives
      .filter((objective) => !objective.met)
      .map(
        ({ name, limit_ms, kept, wanted }) =>
          `${name}=${limit_ms}ms was kept by ${percent(kept)} of the requests, not ${percent(wanted)}`,
      );
  return "rps" in goodput_wanted
    ? [`goodput was ${goodput_rps.toFixed(1)}/s, not ${goodput_wanted.rps}/s`]
    : [`goodput was ${percent(goodput_share)} of the requests, not ${percent(goodput_wanted.share)}`];
}

function failures({ failed, requests }: Tally): string[] {
  return failed > 0 ? [`${failed} of ${requests} requests failed`] : [];
}

function percent(share: number): string {
  return `${Number((100 * share).toFixed(2))} %`;
}
