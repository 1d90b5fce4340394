/**
 * Two rankings into one: pure functions of the candidates' scores.
 *
 * Both follow Qdrant's, so that the same chunks come in the same order from either store.
 */
import { bestFirst } from "./order.ts";
import type { Fusion } from "./types.ts";

export interface Candidate {
  readonly id: string;
  readonly score: number;
}

/**
 * All candidates of both sides, each once, with the fused score; best first, ties by id. Each side comes best
 * first, ties by id. A candidate that one side does not have gets nothing from it. Where both have it, its other
 * fields are those of `dense`.
 */
export function fuse<T extends Candidate>(dense: readonly T[], text: readonly T[], fusion: Fusion): T[] {
  const parts =
    fusion.kind === "dbsf" ? distributionScores : (side: readonly T[]) => rankScores(side, fusion.k);
  const fused = new Map<string, T>();
  add(fused, dense, parts(dense), fusion.dense_weight);
  add(fused, text, parts(text), fusion.text_weight);
  return [...fused.values()].sort(bestFirst);
}

function add<T extends Candidate>(
  fused: Map<string, T>,
  side: readonly T[],
  parts: readonly number[],
  weight: number,
): void {
  for (const [i, candidate] of side.entries()) {
    const before = fused.get(candidate.id);
    const score = (before?.score ?? 0) + weight * parts[i]!;
    fused.set(candidate.id, { ...(before ?? candidate), score });
  }
}

/** Each score's place between three (sample) deviations below the mean, 0, and three above, 1. */
function distributionScores(side: readonly Candidate[]): number[] {
  const mean = side.reduce((sum, { score }) => sum + score, 0) / side.length;
  const squares = side.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (side.length - 1));
  // One candidate, or equal ones: there is no distribution, and each stands at its middle.
  if (!(deviation > 0)) return side.map(() => 0.5);
  return side.map(({ score }) => (score - mean) / (6 * deviation) + 0.5);
}

function rankScores(side: readonly Candidate[], k: number): number[] {
  return side.map((_, i) => 1 / (k + i + 1));
}
