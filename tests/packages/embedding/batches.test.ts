import { expect, test } from "bun:test";
import fc from "fast-check";
import { batchesByLength } from "../../../packages/embedding/batches.ts";

test("texts of like length share a batch, up to the most allowed", () => {
  expect(batchesByLength([5, 5, 5, 5, 5], 2)).toEqual([[0, 1], [2, 3], [4]]);
});

test("a long text is not padded for by short ones", () => {
  expect(batchesByLength([4, 250, 5, 4], 8)).toEqual([[0, 3, 2], [1]]);
});

test("every text is in one batch, however long they are", () => {
  const lengths = fc.array(fc.integer({ min: 2, max: 256 }));
  fc.assert(
    fc.property(lengths, fc.integer({ min: 1, max: 16 }), (lengths, most) => {
      const batches = batchesByLength(lengths, most);
      expect(batches.every((batch) => batch.length >= 1 && batch.length <= most)).toBe(true);
      expect(batches.flat().sort((a, b) => a - b)).toEqual([...lengths.keys()]);
    }),
  );
});
