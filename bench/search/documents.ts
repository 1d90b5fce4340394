/** The benchmark's documents, as they are written to a store. */
import { DEFAULT_TENANT } from "#contracts";
import type { Chunk, StoredDocument, VectorStore } from "#vector-store";
import { textOf, vectorOf } from "./dataset.ts";

/** Few commits, so that filling a store does not take longer than searching it. */
const CHUNKS_A_DOCUMENT = 100;

/** The chunk that has this id: its number. */
export function numberOf(chunk_id: string): number {
  const [document, position] = chunk_id.split("#");
  return Number(document) * CHUNKS_A_DOCUMENT + Number(position);
}

/** Writes chunks 0 up to `chunks`, telling how far it is. */
export async function fill(
  store: VectorStore,
  chunks: number,
  progress: (done: number) => void,
): Promise<void> {
  for (let first = 0; first < chunks; first += CHUNKS_A_DOCUMENT) {
    const id = `${first / CHUNKS_A_DOCUMENT}`;
    const numbers = Array.from({ length: Math.min(CHUNKS_A_DOCUMENT, chunks - first) }, (_, i) => first + i);
    await store.upsert(...documentOf(id, numbers, chunks));
    progress(first + numbers.length);
  }
}

/** A document whose chunks are those of the corpus of `chunks` that have these numbers. */
export function documentOf(
  id: string,
  numbers: readonly number[],
  chunks: number,
): [StoredDocument, Chunk[]] {
  const title = textOf(-1 - numbers[0]!)
    .split(" ")
    .slice(0, 5)
    .join(" ");
  const document = { tenant: DEFAULT_TENANT, id, title, source: id, digest: id, metadata: {} };
  return [
    document,
    numbers.map((number, position) => ({
      id: `${id}#${position}`,
      document_id: id,
      title,
      heading_path: [],
      source: id,
      text: textOf(number),
      position,
      tokens: 128,
      vector: vectorOf(number, chunks),
    })),
  ];
}
