/**
 * A search in a collection where documents are being replaced.
 *
 * 1. Rank: the query, with a filter for what is known of living versions, in each of its prefetches.
 * 2. Read, in one request, the chunks that stay and the markers of their documents.
 * 3. Chunks of another version than their marker's are of a write under way, or left by a writer that was killed:
 *    again from 1 without them, until no marker has changed since it was read.
 */
import type { Schemas } from "@qdrant/js-client-rest";
import { bestFirst } from "../order.ts";
import { CANDIDATES, type Fusion, type SearchHit, type SearchRequest } from "../types.ts";
import { type Collection, readPoints } from "./collection.ts";
import { type Filter, searchedChunks } from "./filters.ts";
import { fusedQuery } from "./fused-query.ts";
import { type ChunkPayload, DENSE, markerId, TEXT, toPassage } from "./points.ts";
import { questionTerms } from "./sparse.ts";

/** All but two mean that a document among those found was committed within the search's milliseconds. */
const ROUNDS = 10;

/** Asked for beyond `top_k`: Qdrant cuts among equal scores as it likes, we by id. */
const MARGIN = 10;

interface Ranked extends Pick<ChunkPayload, "id" | "document_id" | "version"> {
  readonly point: string;
  readonly score: number;
}

export async function searchLive(
  collection: Collection,
  fusion: Fusion,
  request: SearchRequest,
): Promise<SearchHit[]> {
  const { tenant, filter = {}, vector } = request;
  let live: ReadonlyMap<string, number | undefined> = new Map();
  for (let round = 1; round <= ROUNDS; round++) {
    const chunks = searchedChunks(tenant, filter, live);
    if (!chunks) return [];
    const found = await rank(collection, fusion, request, chunks);
    const before = live;
    const document_ids = [...new Set([...before.keys(), ...found.map(({ document_id }) => document_id)])];
    const markers = document_ids.map((document_id) => markerId(tenant, document_id));
    const points = await readPoints(collection, [...markers, ...found.map(({ point }) => point)], [DENSE]);
    live = new Map(
      document_ids.map((document_id, i) => [
        document_id,
        points.get(markers[i]!)?.payload?.version as number | undefined,
      ]),
    );
    const settled =
      found.every((hit) => live.get(hit.document_id) === hit.version && points.has(hit.point)) &&
      [...before].every(([document_id, version]) => live.get(document_id) === version);
    if (settled) return found.map(({ point, score }) => toHit(points.get(point)!, score, vector));
  }
  throw new Error("the documents found kept changing; try again");
}

/** The best `top_k` of `chunks`, best first; ties by id. Where equal scores may go on beyond the margin, all. */
async function rank(collection: Collection, fusion: Fusion, request: SearchRequest, chunks: Filter) {
  const { top_k } = request;
  const some = top_k + MARGIN;
  let ranked = await query(collection, fusion, request, chunks, some);
  if (ranked.length === some && ranked.at(-1)!.score === ranked[top_k - 1]!.score) {
    ranked = await query(collection, fusion, request, chunks, 2 * Math.max(CANDIDATES, some));
  }
  return ranked.sort(bestFirst).slice(0, top_k);
}

async function query(
  { client, name }: Collection,
  fusion: Fusion,
  { mode = "hybrid", vector, text, top_k }: SearchRequest,
  filter: Filter,
  limit: number,
): Promise<Ranked[]> {
  const terms = mode === "dense" ? undefined : questionTerms(text);
  const candidates = mode === "hybrid" ? Math.max(CANDIDATES, top_k + MARGIN) : limit;
  const dense = { query: Array.from(vector), using: DENSE, filter, limit: candidates };
  const sparse = terms && { query: terms, using: TEXT, filter, limit: candidates };
  if (mode === "text" && !sparse) return [];
  const { points } = await client.query(name, {
    ...(mode === "hybrid" ? fusedQuery(fusion, dense, sparse, limit) : (sparse ?? dense)),
    // What orders and checks them: the rest is read of those that stay.
    with_payload: ["id", "document_id", "version"] satisfies (keyof ChunkPayload)[],
  });
  return points.map(({ id, score, payload }) => ({
    ...(payload as unknown as Pick<ChunkPayload, "id" | "document_id" | "version">),
    point: String(id),
    score,
  }));
}

function toHit({ payload, vector }: Schemas["Record"], score: number, question: Float32Array): SearchHit {
  const chunk = payload as unknown as ChunkPayload;
  const own = (vector as { [DENSE]: number[] })[DENSE];
  const cosine = own.reduce((sum, value, i) => sum + value * question[i]!, 0);
  return { ...toPassage(chunk), score, cosine, metadata: chunk.metadata };
}
