/**
 * What is evaluated into a store, by the indexer's own path, once.
 *
 * 1. Documents of an earlier run that are not among them any more are deleted.
 * 2. Each document goes through `indexDocument`, which passes over what the store has already: a second run embeds
 *    nothing, and one that was stopped is taken up where it was.
 * 3. The rate is measured over the documents that were indexed, and kept in `rate_file`, since a later run has
 *    nothing to measure.
 */
import { DEFAULT_TENANT } from "#contracts";
import type { SourceDocument } from "../apps/indexer/document.ts";
import { type IndexTools, indexDocument } from "../apps/indexer/index-document.ts";
import { startProgress } from "../apps/indexer/progress.ts";

/** What indexing took, in one run. */
interface IndexingRate {
  readonly documents: number;
  readonly seconds: number;
}

/** @returns documents a second when they were indexed; `null` if the store was filled by somebody else. */
export async function indexDocuments(
  tools: IndexTools,
  documents: readonly SourceDocument[],
  rate_file: string,
): Promise<number | null> {
  await deleteOthers(tools, documents);
  const indexed = { documents: 0, seconds: 0 };
  let chunks = 0;
  const progress = startProgress(documents.length);
  try {
    for (const document of documents) {
      const started_ms = performance.now();
      const outcome = await indexDocument(tools, document);
      chunks += outcome.chunks;
      if (outcome.changed) {
        indexed.documents++;
        indexed.seconds += (performance.now() - started_ms) / 1_000;
      }
      progress.advance(chunks);
    }
  } finally {
    progress.end();
    if (indexed.documents > 0) await keepRate(rate_file, indexed);
  }
  const rate = await keptRate(rate_file);
  return rate && rate.documents / rate.seconds;
}

async function deleteOthers({ store }: IndexTools, documents: readonly SourceDocument[]): Promise<void> {
  const ids = new Set(documents.map(({ id }) => id));
  for (const { id } of await store.documents(DEFAULT_TENANT)) {
    if (!ids.has(id)) await store.delete(DEFAULT_TENANT, id);
  }
}

async function keptRate(rate_file: string): Promise<IndexingRate | null> {
  const file = Bun.file(rate_file);
  return (await file.exists()) ? await file.json() : null;
}

/** The measurement over the most documents stays; of equal ones the newer. */
async function keepRate(rate_file: string, measured: IndexingRate): Promise<void> {
  const before = await keptRate(rate_file);
  if (before && before.documents > measured.documents) return;
  await Bun.write(rate_file, JSON.stringify(measured));
}
