import { describe, expect, test } from "bun:test";
import type { Fusion } from "#vector-store";
import { fuse } from "../../../packages/vector-store/fusion.ts";

const names = "abcdx";
/** Best first, as each side comes. */
const side = (scores: Record<string, number>) =>
  Object.entries(scores).map(([name, score]) => ({ row: names.indexOf(name), score }));
const fused = (...given: Parameters<typeof fuse>) =>
  Object.fromEntries(fuse(...given).map(({ row, score }) => [names[row], score]));
const about = (score: number) => expect.closeTo(score, 12);

describe("fusion by score distribution", () => {
  const dbsf: Fusion = { kind: "dbsf", dense_weight: 1, text_weight: 1 };

  test("normalises each side by its mean and three sample deviations, and adds", () => {
    // Mean 2, deviation 1: 3, 2 and 1 stand at 4/6, 3/6 and 2/6 of the way from -1 to 5. The other side: mean 20,
    // deviation 10 * sqrt(2): 30 and 10 stand at 0.5 +- 1 / (6 * sqrt(2)).
    const step = 1 / (6 * Math.SQRT2);
    expect(fused(side({ a: 3, b: 2, c: 1 }), side({ c: 30, d: 10 }), dbsf)).toEqual({
      a: about(4 / 6),
      b: about(3 / 6),
      c: about(2 / 6 + 0.5 + step),
      d: about(0.5 - step),
    });
  });

  test("weights are factors of the sides", () => {
    const weighted = { ...dbsf, dense_weight: 2, text_weight: 0.5 };
    expect(fused(side({ a: 3, b: 2, c: 1 }), side({ c: 7 }), weighted)).toEqual({
      a: about(8 / 6),
      b: about(1),
      c: about(4 / 6 + 0.25),
    });
  });

  test("a side of one candidate gives it the middle", () => {
    expect(fused(side({ a: 0.9 }), [], dbsf)).toEqual({ a: 0.5 });
    expect(fused(side({ a: 0.9 }), side({ a: 12 }), dbsf)).toEqual({ a: 1 });
  });

  test("a side of equal scores gives each the middle", () => {
    expect(fused([], side({ c: 4, a: 4, b: 4 }), dbsf)).toEqual({ a: 0.5, b: 0.5, c: 0.5 });
    expect(fused(side({ a: 0.1, b: 0.1, c: 0.1 }), side({ b: 1 }), dbsf)).toEqual({
      a: about(0.5),
      b: about(1),
      c: about(0.5),
    });
  });

  test("nothing on either side is nothing", () => {
    expect(fuse([], [], dbsf)).toEqual([]);
  });
});

describe("fusion by reciprocal rank", () => {
  const rrf: Fusion = { kind: "rrf", k: 10, dense_weight: 1, text_weight: 1 };

  test("adds 1 / (k + rank), ranks from 1", () => {
    expect(fused(side({ a: 0.9, b: 0.8, c: 0.1 }), side({ c: 30, a: 2, d: 1 }), rrf)).toEqual({
      a: about(1 / 11 + 1 / 12),
      b: about(1 / 12),
      c: about(1 / 13 + 1 / 11),
      d: about(1 / 13),
    });
  });

  test("weights and k are settings", () => {
    const fusion: Fusion = { kind: "rrf", k: 0, dense_weight: 1, text_weight: 3 };
    expect(fused(side({ a: 1, b: 0 }), side({ b: 1 }), fusion)).toEqual({ a: 1, b: 3.5 });
  });

  test("an empty side leaves the other's ranks", () => {
    expect(fused(side({ x: 2, a: 1 }), [], rrf)).toEqual({ x: 1 / 11, a: 1 / 12 });
  });
});
