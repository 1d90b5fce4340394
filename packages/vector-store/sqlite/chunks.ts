/** Chunks in the file: text, vector and terms, each under the chunk's row. */
import type { Database } from "bun:sqlite";
import type { ChunkTerms } from "../chunk-terms.ts";
import type { Candidate } from "../fusion.ts";
import type { Chunk, SearchHit } from "../types.ts";
import { cosine, toFloats } from "./cosine.ts";
import { indexTerms } from "./terms.ts";

interface ChunkRow extends Omit<Chunk, "vector" | "heading_path"> {
  readonly heading_path: string;
}

const COLUMNS =
  "chunks.id, documents.id AS document_id, position, chunks.title, heading_path, chunks.source, text, tokens";

export function insertChunk(
  db: Database,
  row: number,
  document: number,
  chunk: Chunk,
  terms: ChunkTerms,
): void {
  const { id, position, tokens, title, heading_path, source, text, vector } = chunk;
  db.query(
    "INSERT INTO chunks (row, id, document, position, tokens, title, heading_path, source, text) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
  ).run(row, id, document, position, tokens, title, JSON.stringify(heading_path), source, text);
  db.query("INSERT INTO vectors (chunk, vector) VALUES (?, ?)").run(
    row,
    new Uint8Array(vector.buffer, vector.byteOffset, vector.byteLength),
  );
  indexTerms(db, row, terms);
}

/** What was found, in the order given. */
export function hitsOf(db: Database, found: readonly Candidate[], question: Float32Array): SearchHit[] {
  const rows = db
    .query<ChunkRow & { row: number; metadata: string; vector: Uint8Array }, [string]>(
      `SELECT row, ${COLUMNS}, metadata, vector FROM json_each(?) AS found
         JOIN chunks ON row = found.value JOIN vectors ON chunk = row JOIN documents ON documents.key = document`,
    )
    .all(JSON.stringify(found.map(({ row }) => row)));
  const chunks = new Map(rows.map(({ row, ...chunk }) => [row, chunk]));
  return found.map(({ row, score }) => {
    const { metadata, vector, ...chunk } = chunks.get(row)!;
    return {
      ...toChunk(chunk),
      score,
      cosine: cosine(question, toFloats(vector)),
      metadata: JSON.parse(metadata),
    };
  });
}

/** A document's chunks from place `from` up to, without, `to`, in order. */
export function chunksBetween(
  db: Database,
  tenant: string,
  document_id: string,
  from: number,
  to: number,
): Omit<Chunk, "vector">[] {
  return db
    .query<ChunkRow, (string | number)[]>(
      `SELECT ${COLUMNS} FROM chunks JOIN documents ON documents.key = document JOIN tenants ON tenants.key = tenant
        WHERE name = ? AND documents.id = ? AND position >= ? AND position < ? ORDER BY position`,
    )
    .all(tenant, document_id, from, to)
    .map(toChunk);
}

function toChunk({ heading_path, ...chunk }: ChunkRow): Omit<Chunk, "vector"> {
  return { ...chunk, heading_path: JSON.parse(heading_path) };
}
