/** Files and folders into a store, as they are now. */
import { DEFAULT_TENANT } from "#contracts";
import { StoreError } from "#vector-store";
import { documentId, FileError, findDocuments, goneFrom, isWithin, readDocument } from "./files.ts";
import { type IndexTools, indexDocument } from "./index-document.ts";
import type { Progress } from "./progress.ts";

/** Documents at once: one is embedded while the other is read and cut. */
const AT_ONCE = 2;

export interface Ingested {
  readonly documents: number;
  readonly chunks: number;
  readonly unchanged: number;
  readonly removed: number;
  readonly failed: number;
  /** Files of kinds that are not taken. */
  readonly skipped: number;
}

export interface IngestRequest {
  /** Files and folders; relative ones to the working directory, as are the documents' ids. */
  readonly paths: readonly string[];
  /** Whether documents whose files at or below the paths are gone are removed. */
  readonly remove_gone: boolean;
}

/**
 * What cannot be read is told to `progress`, and the others go on.
 * @param signal ends it soon, with what is done so far.
 * @throws StoreError if the store cannot be used.
 */
export async function ingestFiles(
  tools: IndexTools,
  { paths, remove_gone }: IngestRequest,
  startProgress: (documents: number) => Progress,
  signal: AbortSignal,
): Promise<Ingested> {
  const found = await findDocuments(paths);
  const gone = remove_gone ? await goneFrom(paths, await fileIds(tools)) : [];
  const count = { documents: 0, chunks: 0, unchanged: 0, removed: 0, failed: 0 };

  const progress = startProgress(found.documents.size);
  const fail = (line: string) => {
    count.failed++;
    progress.note(line);
  };
  try {
    for (const { path, message } of found.errors) {
      const root = await documentId(path);
      // A path that is gone, and whose documents are removed for it, is as it should be.
      if (!gone.some((id) => isWithin(root, id))) fail(message);
    }
    const documents = found.documents.entries();
    let broken = false;
    const work = async () => {
      for (const [id, format] of documents) {
        if (signal.aborted || broken) return;
        try {
          const { chunks, changed } = await indexDocument(tools, await readDocument(id, format), { signal });
          if (changed) {
            count.documents++;
            count.chunks += chunks;
          } else count.unchanged++;
        } catch (error) {
          if (signal.aborted) return;
          if (error instanceof StoreError) {
            broken = true;
            throw error;
          }
          // Whatever is wrong with one document, the others go on.
          fail(error instanceof FileError ? error.message : `${id}: ${error}`);
        }
        progress.advance(count.chunks);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    for (const id of gone) {
      if (!signal.aborted && (await tools.store.delete(DEFAULT_TENANT, id))) count.removed++;
    }
  } finally {
    progress.end();
  }

  return { ...count, skipped: found.skipped };
}

/** Documents that came from files: these have their path for an id and a source. */
async function fileIds({ store }: IndexTools): Promise<string[]> {
  const documents = await store.documents(DEFAULT_TENANT);
  return documents.filter(({ id, source }) => id === source).map(({ id }) => id);
}
