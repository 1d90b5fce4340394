/**
 * A hybrid search as one query: a prefetch for each side, and their fusion on the server.
 *
 * With equal weights that is the server's own fusion. It has none for DBSF otherwise, and its weights for RRF are
 * not those of the literature: they divide the rank, 1 / (k + rank / weight). So with unequal ones each side is
 * fused alone, which makes its scores their normalised ones or 1 / (k + rank), and a formula adds them up.
 *
 * Qdrant counts ranks from 0 where we and the literature count from 1: its `k` is ours and one.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import { type Fusion, StoreError } from "../types.ts";

type Side = Schemas["Prefetch"];

/** @throws StoreError if no Qdrant could do it. */
export function acceptFusion(fusion: Fusion): void {
  if (fusion.kind !== "rrf" || (Number.isInteger(fusion.k) && fusion.k >= 0)) return;
  throw new StoreError(`Qdrant fuses by reciprocal rank with a whole k from 0 alone, not with ${fusion.k}`);
}

/** The best `limit` of both sides; of the dense one alone where the question has no words. */
export function fusedQuery(
  fusion: Fusion,
  dense: Side,
  text: Side | undefined,
  limit: number,
): Pick<Schemas["QueryRequest"], "prefetch" | "query" | "limit"> {
  const query = fusion.kind === "dbsf" ? { fusion: "dbsf" as const } : { rrf: { k: fusion.k + 1 } };
  if (!text || fusion.dense_weight === fusion.text_weight) {
    return { prefetch: text ? [dense, text] : [dense], query, limit };
  }
  return {
    prefetch: [dense, text].map((side) => ({ prefetch: [side], query, limit: side.limit })),
    query: {
      formula: {
        sum: [{ mult: [fusion.dense_weight, "$score[0]"] }, { mult: [fusion.text_weight, "$score[1]"] }],
      },
      // Of a chunk that the other side alone has.
      defaults: { "$score[0]": 0, "$score[1]": 0 },
    },
    limit,
  };
}
