import { describe, expect, test } from "bun:test";
import type { Fusion } from "#vector-store";
import { fuse } from "../../../packages/vector-store/fusion.ts";

const side = (scores: Record<string, number>) => Object.entries(scores).map(([id, score]) => ({ id, score }));
const scores = (found: { id: string; score: number }[]) => found.map(({ id, score }) => [id, score]);
const about = (score: number) => expect.closeTo(score, 12);

describe("fusion by score distribution", () => {
  const dbsf: Fusion = { kind: "dbsf", dense_weight: 1, text_weight: 1 };

  test("normalises each side by its mean and three sample deviations, and adds", () => {
    // Mean 2, deviation 1: 3, 2 and 1 stand at 4/6, 3/6 and 2/6 of the way from -1 to 5. The other side: mean 20,
    // deviation 10 * sqrt(2): 30 and 10 stand at 0.5 +- 1 / (6 * sqrt(2)).
    const found = fuse(side({ a: 3, b: 2, c: 1 }), side({ c: 30, d: 10 }), dbsf);
    const step = 1 / (6 * Math.SQRT2);
    expect(scores(found)).toEqual([
      ["c", about(2 / 6 + 0.5 + step)],
      ["a", about(4 / 6)],
      ["b", about(3 / 6)],
      ["d", about(0.5 - step)],
    ]);
  });

  test("weights are factors of the sides", () => {
    const found = fuse(side({ a: 3, b: 2, c: 1 }), side({ c: 7 }), {
      ...dbsf,
      dense_weight: 2,
      text_weight: 0.5,
    });
    expect(scores(found)).toEqual([
      ["a", about(8 / 6)],
      ["b", about(1)],
      ["c", about(4 / 6 + 0.25)],
    ]);
  });

  test("a side of one candidate gives it the middle", () => {
    expect(scores(fuse(side({ a: 0.9 }), [], dbsf))).toEqual([["a", 0.5]]);
    expect(scores(fuse(side({ a: 0.9 }), side({ a: 12 }), dbsf))).toEqual([["a", 1]]);
  });

  test("a side of equal scores gives each the middle, and ids decide", () => {
    const found = fuse([], side({ c: 4, a: 4, b: 4 }), dbsf);
    expect(scores(found)).toEqual([
      ["a", 0.5],
      ["b", 0.5],
      ["c", 0.5],
    ]);
  });

  test("nothing on either side is nothing", () => {
    expect(fuse([], [], dbsf)).toEqual([]);
  });
});

describe("fusion by reciprocal rank", () => {
  const rrf: Fusion = { kind: "rrf", k: 10, dense_weight: 1, text_weight: 1 };

  test("adds 1 / (k + rank), ranks from 1", () => {
    const found = fuse(side({ a: 0.9, b: 0.8, c: 0.1 }), side({ c: 30, a: 2, d: 1 }), rrf);
    expect(scores(found)).toEqual([
      ["a", about(1 / 11 + 1 / 12)],
      ["c", about(1 / 13 + 1 / 11)],
      ["b", about(1 / 12)],
      ["d", about(1 / 13)],
    ]);
  });

  test("weights and k are settings", () => {
    const fusion: Fusion = { kind: "rrf", k: 0, dense_weight: 1, text_weight: 3 };
    expect(scores(fuse(side({ a: 1, b: 0 }), side({ b: 1 }), fusion))).toEqual([
      ["b", 3.5],
      ["a", 1],
    ]);
  });

  test("equal sums are ordered by id", () => {
    const found = fuse(side({ b: 1, a: 0.5 }), side({ a: 9, b: 8 }), rrf);
    expect(found.map(({ id }) => id)).toEqual(["a", "b"]);
  });

  test("an empty side leaves the other's order", () => {
    expect(fuse(side({ x: 2, a: 1 }), [], rrf).map(({ id }) => id)).toEqual(["x", "a"]);
  });
});

test("what both sides know of a candidate is what the dense side says", () => {
  const found = fuse([{ id: "a", score: 1, row: 7 }], [{ id: "a", score: 1, row: 8 }], {
    kind: "rrf",
    k: 1,
    dense_weight: 1,
    text_weight: 1,
  });
  expect(found).toEqual([{ id: "a", score: 1, row: 7 }]);
});
