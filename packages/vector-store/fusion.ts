/**
 * Two rankings into one: pure functions of the candidates' scores.
 *
 * Both follow Qdrant's, so that the same chunks come in the same order from either store.
 */
import type { Fusion } from "./types.ts";

type Side = readonly Candidate[];

/** A chunk found by one side of a search, or by both. */
export interface Candidate {
  /** Names it on both sides. */
  readonly row: number;
  readonly score: number;
}

/**
 * All candidates of both sides, each once, with the fused score, in no order. Each side comes best first. A
 * candidate that one side does not have gets nothing from it.
 */
export function fuse(dense: readonly Candidate[], text: readonly Candidate[], fusion: Fusion): Candidate[] {
  const parts = fusion.kind === "dbsf" ? distributionScores : (side: Side) => rankScores(side, fusion.k);
  const fused = new Map<number, number>();
  add(fused, dense, parts(dense), fusion.dense_weight);
  add(fused, text, parts(text), fusion.text_weight);
  return Array.from(fused, ([row, score]) => ({ row, score }));
}

function add(fused: Map<number, number>, side: Side, parts: readonly number[], weight: number): void {
  for (const [i, { row }] of side.entries()) fused.set(row, (fused.get(row) ?? 0) + weight * parts[i]!);
}

/** Each score's place between three (sample) deviations below the mean, 0, and three above, 1. */
function distributionScores(side: Side): number[] {
  // One candidate, or equal ones: there is no distribution, and each stands at its middle. Their deviation need
  // not be zero: the mean of three times 0.1 is not 0.1.
  if (side[0]?.score === side.at(-1)?.score) return side.map(() => 0.5);
  const mean = side.reduce((sum, { score }) => sum + score, 0) / side.length;
  const squares = side.reduce((sum, { score }) => sum + (score - mean) ** 2, 0);
  const deviation = Math.sqrt(squares / (side.length - 1));
  return side.map(({ score }) => (score - mean) / (6 * deviation) + 0.5);
}

function rankScores(side: Side, k: number): number[] {
  return side.map((_, i) => 1 / (k + i + 1));
}
