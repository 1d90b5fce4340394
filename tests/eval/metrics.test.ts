import { describe, expect, test } from "bun:test";
import { type Judgements, ndcg, recall, reciprocalRank } from "../../eval/metrics.ts";

const judged = (judgements: Record<string, number>): Judgements => new Map(Object.entries(judgements));

// Computed by hand from the definition: the sum of relevance / log2(rank + 1), over the same of the best order.
describe("nDCG", () => {
  test("one relevant document: 1 at the top, 1 / log2(3) second, 1 / log2(4) third", () => {
    const judgements = judged({ a: 1 });
    expect(ndcg(["a", "x", "y"], judgements, 10)).toBe(1);
    expect(ndcg(["x", "a", "y"], judgements, 10)).toBeCloseTo(0.63093, 5);
    expect(ndcg(["x", "y", "a"], judgements, 10)).toBeCloseTo(0.5, 5);
  });

  test("a relevance of 2 gains 2, not 3: (1 + 2 / 1.58496) / (2 + 1 / 1.58496)", () => {
    expect(ndcg(["b", "a"], judged({ a: 2, b: 1 }), 10)).toBeCloseTo(0.85972, 5);
  });

  test("graded, with a gap and one not found: (3 + 1 / 2) / (3 + 2 / 1.58496 + 1 / 2)", () => {
    expect(ndcg(["a", "x", "c"], judged({ a: 3, b: 2, c: 1 }), 10)).toBeCloseTo(0.73501, 5);
  });

  test("what is beyond the depth counts neither in the ranking nor in the ideal", () => {
    const judgements = judged({ a: 1, b: 1, c: 1 });
    expect(ndcg(["a", "b", "x", "c"], judgements, 2)).toBe(1);
    expect(ndcg(["x", "y", "a"], judgements, 2)).toBe(0);
  });

  test("judged 0 or below is as good as not judged", () => {
    expect(ndcg(["b", "c", "a"], judged({ a: 1, b: 0, c: -1 }), 10)).toBeCloseTo(0.5, 5);
  });

  test("an empty ranking has 0", () => {
    expect(ndcg([], judged({ a: 1 }), 10)).toBe(0);
  });
});

test("recall is the share of the relevant documents within the depth", () => {
  const judgements = judged({ a: 1, b: 2, c: 0, d: 1 });
  expect(recall(["a", "c", "x", "b", "d"], judgements, 4)).toBeCloseTo(2 / 3, 10);
  expect(recall(["a", "c", "x", "b", "d"], judgements, 5)).toBe(1);
});

test("reciprocal rank is that of the first relevant document, 0 where none is within the depth", () => {
  const judgements = judged({ a: 1, b: 1, c: 0 });
  expect(reciprocalRank(["c", "x", "b", "a"], judgements, 10)).toBeCloseTo(1 / 3, 10);
  expect(reciprocalRank(["c", "x", "b", "a"], judgements, 2)).toBe(0);
});
