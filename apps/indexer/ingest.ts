/**
 * `bun run ingest PATH...`: files and folders into the vector store.
 *
 * Its life:
 * 1. The documents at the paths are found; the model is loaded, and built before where missing.
 * 2. Each is indexed in turn. One that the store has already is passed over, which makes a second run
 *    cheap and lets a run that was stopped, or killed, be taken up by the next.
 * 3. With `--delete`, documents of files that are gone are removed.
 * 4. Exit code 0; 1 if any file could not be read, 2 for a command that makes no sense, 130 on Ctrl-C.
 */
import { parseArgs } from "node:util";
import { DEFAULT_TENANT } from "#contracts";
import { ensureModel, loadModel, ModelError } from "#embedding";
import { configOrExit, openConfiguredStore } from "#runtime";
import { StoreError } from "#vector-store";
import { ingestSettings } from "./config.ts";
import { documentId, FileError, findDocuments, goneFrom, isWithin, readDocument } from "./files.ts";
import { type IndexTools, indexDocument } from "./index-document.ts";
import { startProgress } from "./progress.ts";

const USAGE = `Usage: bun run ingest PATH... [--delete]

Takes Markdown, HTML and text files (.md .markdown .html .htm .txt) into the vector store: the given
ones and all below the given folders, without hidden files and node_modules. A file that has not changed
is passed over; one that has changed replaces what was there of it. Stopped midway, the same command
goes on where it was.

  --delete   also remove documents whose files at or below the given paths are gone
  --help     show this
`;

interface Command {
  readonly paths: readonly string[];
  readonly remove_gone: boolean;
}

const started_ms = performance.now();
const command = readCommand();
const config = configOrExit(ingestSettings);
const stop = new AbortController();
process.on("SIGINT", () => {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
});

try {
  await ensureModel({ directory: config.MODEL_DIR });
  const model = await loadModel({
    directory: config.MODEL_DIR,
    threads: config.ENCODER_THREADS || undefined,
  });
  const store = openConfiguredStore(config);
  process.exitCode = await ingest({ store, model }, command, stop.signal);
  await store.close();
} catch (error) {
  if (!(error instanceof StoreError || error instanceof ModelError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

async function ingest(
  tools: IndexTools,
  { paths, remove_gone }: Command,
  signal: AbortSignal,
): Promise<number> {
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
    for (const [id, format] of found.documents) {
      if (signal.aborted) break;
      try {
        const { chunks, changed } = await indexDocument(tools, await readDocument(id, format), signal);
        if (changed) {
          count.documents++;
          count.chunks += chunks;
        } else count.unchanged++;
      } catch (error) {
        if (signal.aborted) break;
        if (error instanceof StoreError) throw error;
        // Whatever is wrong with one document, the others go on.
        fail(error instanceof FileError ? error.message : `${id}: ${error}`);
      }
      progress.advance(count.chunks);
    }
    for (const id of gone) {
      if (!signal.aborted && (await tools.store.delete(DEFAULT_TENANT, id))) count.removed++;
    }
  } finally {
    progress.end();
  }

  if (found.skipped > 0) console.error(`files of other kinds skipped: ${found.skipped}`);
  const { documents, chunks, unchanged, removed, failed } = count;
  console.log(
    `ingested ${documents} documents (${chunks} chunks), ${unchanged} unchanged, ` +
      `${removed} removed, ${failed} failed in ${((performance.now() - started_ms) / 1_000).toFixed(1)} s`,
  );
  if (signal.aborted) {
    console.error("stopped: run the same command again to go on from here");
    return 130;
  }
  return failed > 0 ? 1 : 0;
}

/** Documents that came from files: these have their path for an id and a source. */
async function fileIds({ store }: IndexTools): Promise<string[]> {
  const documents = await store.documents(DEFAULT_TENANT);
  return documents.filter(({ id, source }) => id === source).map(({ id }) => id);
}

function readCommand(): Command {
  try {
    const { values, positionals: paths } = parseArgs({
      allowPositionals: true,
      options: { delete: { type: "boolean" }, help: { type: "boolean", short: "h" } },
    });
    if (values.help) {
      console.log(USAGE);
      process.exit(0);
    }
    if (paths.length === 0) throw new TypeError("which files or folders? Give at least one PATH");
    return { paths, remove_gone: values.delete ?? false };
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${USAGE}`);
    process.exit(2);
  }
}
