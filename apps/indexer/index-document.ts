/** One document into the store: cut, embedded and put in place of what was there of it. */
import { DEFAULT_TENANT } from "#contracts";
import type { EmbeddingModel } from "#embedding";
import type { Chunk, VectorStore } from "#vector-store";
import { CHUNKING_VERSION, chunkDocument, embeddedText } from "./chunks.ts";
import { parseDocument, type SourceDocument } from "./document.ts";

/**
 * Texts given to the model at once: few enough to stop within a second or two. Gathering the chunks of
 * several small documents for fuller batches was measured too: 5 % less work, not worth the machinery.
 */
const EMBED_AT_ONCE = 32;

export interface IndexTools {
  readonly store: VectorStore;
  readonly model: EmbeddingModel;
}

export interface IndexOutcome {
  /** Chunks that the document has now. */
  readonly chunks: number;
  /** Whether anything was done: not if the store has the same document, cut and embedded the same way. */
  readonly changed: boolean;
}

/**
 * Makes the store hold `document` as it is now; doing so again changes nothing.
 * @throws StoreError if the store cannot be reached; the reason of `signal` once it is aborted. Either
 * way the store holds the old chunks or the new ones.
 */
export async function indexDocument(
  { store, model }: IndexTools,
  document: SourceDocument,
  signal?: AbortSignal,
): Promise<IndexOutcome> {
  const digest = digestOf(document, model.name);
  const { tenant = DEFAULT_TENANT, id, source, metadata = {} } = document;
  const stored = await store.get(tenant, id);
  // The stored digest ends with how many chunks came of it, which spares cutting the document again.
  const [before, count] = stored?.digest.split(":") ?? [];
  if (before === digest) return { chunks: Number(count), changed: false };

  const parsed = parseDocument(document);
  const passages = chunkDocument(parsed, model);
  const chunks: Chunk[] = [];
  for (let start = 0; start < passages.length; start += EMBED_AT_ONCE) {
    signal?.throwIfAborted();
    const batch = passages.slice(start, start + EMBED_AT_ONCE);
    const vectors = await model.embed(batch.map(embeddedText));
    for (const [at, passage] of batch.entries()) {
      const position = start + at;
      chunks.push({
        ...passage,
        id: `${id}#${position}`,
        document_id: id,
        source,
        position,
        vector: vectors[at]!,
      });
    }
  }
  signal?.throwIfAborted();
  await store.upsert(
    { tenant, id, title: parsed.title, source, digest: `${digest}:${chunks.length}`, metadata },
    chunks,
  );
  return { chunks: chunks.length, changed: true };
}

/** Over all that is stored of the document, and what decides on its chunks and their vectors. */
function digestOf({ format, source, content, title, metadata }: SourceDocument, model: string): string {
  const parts = JSON.stringify([CHUNKING_VERSION, model, format, source, content, title, metadata]);
  return new Bun.CryptoHasher("sha256").update(parts).digest("hex");
}
