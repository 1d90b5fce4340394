/** What an evaluation found, for programs and for people. */
import { mean, meanInterval } from "./bootstrap.ts";
import type { EvalQuestion } from "./dataset.ts";
import { ndcg, recall, reciprocalRank } from "./metrics.ts";

/** Means over the questions; 0 to 1. */
export interface Quality {
  readonly ndcg_at_10: number;
  /** The 95 % bootstrap interval of `ndcg_at_10`. */
  readonly ndcg_ci95: readonly [low: number, high: number];
  readonly recall_at_10: number;
  readonly recall_at_100: number;
  readonly mrr_at_10: number;
}

/** How deep a ranking must go to be measured. */
export const RANKING_DEPTH = 100;

export interface Report {
  readonly dense: Quality;
  readonly bm25: Quality;
  readonly fused: Quality;
  readonly search_p50_ms: number;
  /** `null` if it could not be measured: the store was filled by somebody else. */
  readonly docs_per_s: number | null;
}

/** @param rankings of the questions, in their order */
export function qualityOf(questions: readonly EvalQuestion[], rankings: readonly string[][]): Quality {
  const measured = (metric: typeof ndcg, depth: number) =>
    questions.map(({ judgements }, at) => metric(rankings[at]!, judgements, depth));
  const ndcgs = measured(ndcg, 10);
  return {
    ndcg_at_10: mean(ndcgs),
    ndcg_ci95: meanInterval(ndcgs),
    recall_at_10: mean(measured(recall, 10)),
    recall_at_100: mean(measured(recall, RANKING_DEPTH)),
    mrr_at_10: mean(measured(reciprocalRank, 10)),
  };
}

export function reportText({ dense, bm25, fused, search_p50_ms, docs_per_s }: Report): string {
  const row = (name: string, quality: Quality) => {
    const [low, high] = quality.ndcg_ci95.map((value) => value.toFixed(3));
    const figures = [quality.recall_at_10, quality.recall_at_100, quality.mrr_at_10];
    return [
      name.padEnd(6),
      `${quality.ndcg_at_10.toFixed(4)} (${low} to ${high})`,
      ...figures.map((value) => value.toFixed(4).padStart(10)),
    ].join("  ");
  };
  const rate = docs_per_s === null ? "not measured" : `${docs_per_s.toFixed(1)} documents/s`;
  return [
    "        nDCG@10 (95 % interval)     recall@10  recall@100     MRR@10",
    row("dense", dense),
    row("BM25", bm25),
    row("fused", fused),
    `search: P50 ${search_p50_ms.toFixed(2)} ms; indexing: ${rate}`,
  ].join("\n");
}
