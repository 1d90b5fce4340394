/** What the harness asks: each question holds a marker, and its answer has to begin with the same one. */
import type { SeededRandom } from "./random.ts";
import type { Scenario } from "./scenarios.ts";

/** In a question, makes the encoder that handles it die. */
export const POISON = "poison";

const MARKER = /marker-\d+/;

export interface Question {
  readonly marker: string;
  /** Kills the worker that handles it. */
  readonly poisoned: boolean;
  /** When its client hangs up, ms after asking; `undefined` for one that waits. */
  readonly leaves_after_ms?: number;
}

/** Longer than most answers take. */
const PATIENCE_MS = 150;

/** All questions of a run. */
export function questions({ jobs, poisoned = 0, hang_up = 0 }: Scenario, random: SeededRandom): Question[] {
  const poison = new Set(spread(poisoned, jobs));
  return Array.from({ length: jobs }, (_, n) => {
    const [leaves, after] = [random.next() < hang_up, random.next()];
    return {
      marker: `marker-${n}`,
      poisoned: poison.has(n),
      leaves_after_ms: leaves && !poison.has(n) ? after * PATIENCE_MS : undefined,
    };
  });
}

export function textOf({ marker, poisoned }: Question): string {
  return `What does ${marker} mean?${poisoned ? ` ${POISON}` : ""}`;
}

export function answerOf(marker: string): string {
  return `${marker} means nothing.`;
}

export function markerIn(text: string): string | undefined {
  return MARKER.exec(text)?.[0];
}

/** `count` places among `jobs`, evenly. */
export function spread(count: number, jobs: number): number[] {
  return Array.from({ length: count }, (_, i) => Math.floor(((i + 1) * jobs) / (count + 1)));
}
