import { expect, test } from "bun:test";
import fc from "fast-check";
import { batchesByLength } from "../../../packages/embedding/batches.ts";

const batches = (lengths: number[], texts: number, tokens = Infinity) => [
  ...batchesByLength(lengths, () => ({ texts, tokens })),
];

test("texts of like length share a batch, up to the most allowed", () => {
  expect(batches([5, 5, 5, 5, 5], 2)).toEqual([[0, 1], [2, 3], [4]]);
});

test("a long text is not padded for by short ones", () => {
  expect(batches([4, 250, 5, 4], 8)).toEqual([[1], [2, 0, 3]]);
});

test("a batch ends before its tokens are too many; a text beyond them has one to itself", () => {
  expect(batches([100, 100, 100, 300, 300], 8, 250)).toEqual([[3], [4], [0, 1], [2]]);
});

test("limits that change hold from the next batch on", () => {
  const texts = [3, 1];
  const limits = () => ({ texts: texts.shift() ?? 2, tokens: Infinity });
  expect([...batchesByLength([5, 5, 5, 5, 5, 5], limits)]).toEqual([[0, 1, 2], [3], [4, 5]]);
});

test("every text is in one batch, however long they are", () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 256 }));
  const most = fc.integer({ min: 1, max: 16 });
  fc.assert(
    fc.property(lengths, most, fc.integer({ min: 0, max: 1_000 }), (lengths, most, tokens) => {
      const made = batches(lengths, most, tokens);
      for (const batch of made) {
        const longest = Math.max(...batch.map((index) => lengths[index]!));
        expect(batch.length === 1 || batch.length * longest <= tokens).toBe(true);
        expect(batch.length >= 1 && batch.length <= most).toBe(true);
      }
      expect(made.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    }),
  );
});

test("on a mixed load padding stays under a tenth of the tokens", () => {
  // Sixteen messages at a time, as the encoder takes them: mostly questions, some of them whole paragraphs.
  const words = fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 5, max: 32 }) },
    { weight: 1, arbitrary: fc.integer({ min: 32, max: 256 }) },
  );
  const taken = fc.sample(fc.array(words, { minLength: 16, maxLength: 16 }), { numRuns: 500, seed: 1 });
  let tokens = 0;
  let padded = 0;
  for (const lengths of taken) {
    for (const batch of batches(lengths, 16)) {
      const sizes = batch.map((index) => lengths[index]!);
      tokens += sizes.reduce((sum, size) => sum + size, 0);
      padded += sizes.length * Math.max(...sizes);
    }
  }
  expect((padded - tokens) / padded).toBeLessThan(0.1);
});
