/**
 * Qdrant's `points/query` over points in memory, as its documentation and source have it: dense and sparse
 * vectors, prefetches, fusion and formula. Scores are 32-bit, and equal ones come in an order of their own.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import { type Filter, matches } from "./qdrant-filter.ts";

export interface StoredPoint {
  id: string;
  vector: { dense?: number[]; text?: { indices: number[]; values: number[] } };
  payload: Record<string, unknown>;
}

interface Scored {
  id: string;
  score: number;
}

type Request = Schemas["Prefetch"];

const KNOWN = ["prefetch", "query", "using", "filter", "limit", "with_payload", "with_vector"];

export function query(points: readonly StoredPoint[], request: Request): Scored[] {
  const { prefetch, using, limit = 10 } = request;
  const unknown = Object.keys(request).filter((key) => !KNOWN.includes(key));
  if (unknown.length > 0) throw new Error(`not known here: ${unknown}`);
  const scored = prefetch
    ? combine(
        (prefetch as Request[]).map((side) => query(points, side)),
        request.query as Json,
      )
    : search(
        points.filter(({ payload }) => matches(payload, request.filter as Filter)),
        points,
        using!,
        request.query,
      );
  return scored
    .map(({ id, score }) => ({ id, score: Math.fround(score) }))
    .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1))
    .slice(0, limit!);
}

// biome-ignore lint/suspicious/noExplicitAny: a query is one of many, told apart by its fields
type Json = Record<string, any>;

function search(among: StoredPoint[], all: readonly StoredPoint[], using: string, query: unknown): Scored[] {
  if (using === "dense") {
    const wanted = normalised(query as number[]);
    return among.flatMap(({ id, vector: { dense } }) =>
      dense ? [{ id, score: dense.reduce((sum, value, i) => sum + value * wanted[i]!, 0) }] : [],
    );
  }
  if (using !== "text") throw new Error(`Not existing vector name error: ${using}`);
  const { indices, values } = checkedSparse(query);
  const vectors = all.flatMap(({ vector }) => vector.text ?? []);
  const weights = new Map(
    indices.map((index, i) => {
      const df = vectors.filter((vector) => vector.indices.includes(index)).length;
      return [index, values[i]! * Math.log((vectors.length - df + 0.5) / (df + 0.5) + 1)];
    }),
  );
  return among.flatMap(({ id, vector: { text } }) => {
    const shared = text?.indices.flatMap((index, i) => {
      const weight = weights.get(index);
      return weight === undefined ? [] : [weight * text.values[i]!];
    });
    return shared?.length ? [{ id, score: shared.reduce((sum, part) => sum + part, 0) }] : [];
  });
}

function combine(sides: Scored[][], query: Json): Scored[] {
  if (query.formula) return formula(sides, query.formula, query.defaults);
  if (query.fusion && query.fusion !== "dbsf") throw new Error(`not known here: fusion ${query.fusion}`);
  const parts = query.fusion ? sides.map(distribution) : sides.map((side) => ranks(side, query.rrf));
  const sums = new Map<string, number>();
  for (const { id, score } of parts.flat()) sums.set(id, (sums.get(id) ?? 0) + score);
  return [...sums].map(([id, score]) => ({ id, score }));
}

/** `lib/segment/src/common/score_fusion.rs` */
function distribution(side: Scored[]): Scored[] {
  const mean = side.reduce((sum, { score }) => sum + score, 0) / side.length;
  const variance = side.reduce((sum, { score }) => sum + (score - mean) ** 2, 0) / (side.length - 1);
  const [low, high] = [mean - 3 * Math.sqrt(variance), mean + 3 * Math.sqrt(variance)];
  return side.map(({ id, score }) => ({ id, score: high > low ? (score - low) / (high - low) : 0.5 }));
}

/** `lib/segment/src/common/reciprocal_rank_fusion.rs`: ranks from 0, and no weights here. */
function ranks(side: Scored[], { k, ...unknown }: Schemas["Rrf"]): Scored[] {
  if (!Number.isInteger(k) || k! < 1 || Object.keys(unknown).length > 0)
    throw new Error("rrf: invalid k, or more");
  return side.map(({ id }, rank) => ({ id, score: 1 / (k! + rank) }));
}

/** Sums and products of constants and of `$score[i]`. */
function formula(sides: Scored[][], expression: Json, defaults: Record<string, number>): Scored[] {
  const scores = sides.map((side) => new Map(side.map(({ id, score }) => [id, score])));
  const value = (part: Json | string | number, id: string): number => {
    if (typeof part === "number") return part;
    if (typeof part === "string") {
      return scores[Number(/^\$score\[(\d)\]$/.exec(part)![1])]!.get(id) ?? defaults[part] ?? 0;
    }
    if (part.sum) return part.sum.reduce((sum: number, of: Json) => sum + value(of, id), 0);
    return part.mult.reduce((product: number, of: Json) => product * value(of, id), 1);
  };
  const ids = new Set(sides.flat().map(({ id }) => id));
  return [...ids].map((id) => ({ id, score: value(expression, id) }));
}

/** What Qdrant makes of a vector whose distance is Cosine. */
export function normalised(vector: readonly number[]): number[] {
  const length = Math.hypot(...vector);
  return vector.map((value) => Math.fround(value / length));
}

export function checkedSparse(vector: unknown): { indices: number[]; values: number[] } {
  const { indices, values } = vector as { indices: number[]; values: number[] };
  if (indices.length !== values.length) throw new Error("values: must be the same length as indices");
  if (new Set(indices).size !== indices.length) throw new Error("indices: must be unique");
  if (indices.some((index) => index !== index >>> 0)) throw new Error("indices: must be u32");
  return { indices, values };
}
