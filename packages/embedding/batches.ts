/**
 * A batch is padded to its longest text, and padding costs what text costs. A batch of its own costs
 * about as much as this many tokens more (on two cores): beyond it, padding is the greater waste.
 */
const BATCH_COST_TOKENS = 13;

/**
 * Texts to batches of like length, shortest first.
 * @param lengths tokens of each text
 * @param most texts in a batch
 * @returns indices into `lengths`, each once
 */
export function batchesByLength(lengths: readonly number[], most: number): number[][] {
  const byLength = [...lengths.keys()].sort((a, b) => lengths[a]! - lengths[b]!);
  const batches: number[][] = [];
  let batch: number[] = [];
  let padding = 0;
  let longest = 0;
  for (const index of byLength) {
    const length = lengths[index]!;
    padding += batch.length * (length - longest);
    if (batch.length === 0 || batch.length === most || padding > BATCH_COST_TOKENS) {
      batch = [];
      batches.push(batch);
      padding = 0;
    }
    batch.push(index);
    longest = length;
  }
  return batches;
}
