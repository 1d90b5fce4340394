/**
 * A batch is padded to its longest text, and padding costs what text costs. A batch of its own costs
 * about as much as this many tokens more (on two cores): beyond it, padding is the greater waste.
 */
const BATCH_COST_TOKENS = 13;

/** What a batch may hold. */
export interface BatchLimits {
  readonly texts: number;
  /** Tokens, padding included; a longer text has a batch to itself. */
  readonly tokens: number;
}

/**
 * Texts to batches of like length, longest first: what is done side by side then ends at about the same time.
 * @param lengths tokens of each text
 * @param limits asked for anew before each batch
 * @returns indices into `lengths`, each once
 */
export function* batchesByLength(
  lengths: readonly number[],
  limits: () => BatchLimits,
): Generator<readonly number[]> {
  const byLength = [...lengths.keys()].sort((a, b) => lengths[b]! - lengths[a]!);
  let start = 0;
  while (start < byLength.length) {
    const { texts, tokens } = limits();
    const longest = lengths[byLength[start]!]!;
    let end = start + 1;
    let sum = longest;
    while (end < byLength.length && end - start < texts) {
      sum += lengths[byLength[end]!]!;
      const padded = longest * (end + 1 - start);
      if (padded > tokens || padded - sum > BATCH_COST_TOKENS) break;
      end++;
    }
    yield byLength.slice(start, end);
    start = end;
  }
}
