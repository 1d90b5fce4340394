/**
 * How good a ranking is, as trec_eval measures it (https://github.com/usnistgov/trec_eval) and BEIR reports it.
 *
 * A ranking is document ids, best first, each once. A document is relevant if it is judged above 0; one that is not
 * judged counts as not relevant.
 */

/** How relevant each judged document is to one question: graded, by document id. */
export type Judgements = ReadonlyMap<string, number>;

/** The judged documents above 0, most relevant first. */
function relevantGains(judgements: Judgements): number[] {
  return [...judgements.values()].filter((gain) => gain > 0).sort((a, b) => b - a);
}

/** A gain counts less the further down it is: by log2(rank + 1), rank from 1. */
function discounted(gains: readonly number[]): number {
  return gains.reduce((sum, gain, at) => sum + gain / Math.log2(at + 2), 0);
}

/**
 * Normalised discounted cumulative gain of the first `depth`, 0 to 1: trec_eval's `ndcg_cut`, whose gain is the
 * relevance itself rather than 2 to the power of it.
 */
export function ndcg(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const gains = ranking.slice(0, depth).map((id) => Math.max(0, judgements.get(id) ?? 0));
  const ideal = discounted(relevantGains(judgements).slice(0, depth));
  return ideal === 0 ? 0 : discounted(gains) / ideal;
}

/** Share of the relevant documents that are among the first `depth`, 0 to 1. */
export function recall(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const found = ranking.slice(0, depth).filter((id) => (judgements.get(id) ?? 0) > 0).length;
  const all = relevantGains(judgements).length;
  return all === 0 ? 0 : found / all;
}

/** One over the rank of the first relevant document, 0 if it is not among the first `depth`. */
export function reciprocalRank(ranking: readonly string[], judgements: Judgements, depth: number): number {
  const at = ranking.slice(0, depth).findIndex((id) => (judgements.get(id) ?? 0) > 0);
  return at === -1 ? 0 : 1 / (at + 1);
}
