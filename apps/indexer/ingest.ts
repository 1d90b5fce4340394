/**
 * `bun run ingest PATH...`: files and folders into the vector store.
 *
 * Its life:
 * 1. The documents at the paths are found; the model is loaded, and built before where missing.
 * 2. Each is indexed in turn, the next one being read and cut while one is embedded. One that the store has already is
 *    passed over, which makes a second run cheap and lets a run that was stopped, or killed, be taken up by the next.
 * 3. With `--delete`, documents of files that are gone are removed.
 * 4. Exit code 0; 1 if any file could not be read, 2 for a command that makes no sense, 130 on Ctrl-C.
 */
import { constants, setPriority } from "node:os";
import { parseArgs } from "node:util";
import { ensureModel, loadModel, ModelError } from "#embedding";
import { configOrExit, openConfiguredStore } from "#runtime";
import { StoreError } from "#vector-store";
import { Chunker } from "./chunker.ts";
import { ingestSettings } from "./config.ts";
import { type Ingested, type IngestRequest, ingestFiles } from "./ingest-files.ts";
import { startProgress } from "./progress.ts";

const USAGE = `Usage: bun run ingest PATH... [--delete]

Takes Markdown, HTML, text and PDF files (.md .markdown .html .htm .txt .pdf) into the vector store: the given
ones and all below the given folders, without hidden files and node_modules. A file that has not changed
is passed over; one that has changed replaces what was there of it. Stopped midway, the same command
goes on where it was.

  --delete   also remove documents whose files at or below the given paths are gone
  --help     show this
`;

const started_ms = performance.now();
const command = readCommand();
const config = configOrExit(ingestSettings);
setPriority(constants.priority.PRIORITY_BELOW_NORMAL); // questions come first
const stop = new AbortController();
process.on("SIGINT", () => {
  if (stop.signal.aborted) process.exit(130);
  stop.abort();
});

try {
  await ensureModel({ directory: config.MODEL_DIR });
  const model = await loadModel({
    directory: config.MODEL_DIR,
    precision: config.ENCODER_PRECISION,
    threads: config.ENCODER_THREADS || undefined,
  });
  const store = openConfiguredStore(config);
  const chunker = new Chunker({ model: { directory: config.MODEL_DIR }, window: model.window });
  try {
    const tools = { store, model, chunker };
    process.exitCode = report(await ingestFiles(tools, command, startProgress, stop.signal));
  } finally {
    chunker.close();
    await model.close();
  }
  await store.close();
} catch (error) {
  if (!(error instanceof StoreError || error instanceof ModelError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function report({ documents, chunks, unchanged, removed, failed, skipped }: Ingested): number {
  if (skipped > 0) console.error(`files of other kinds skipped: ${skipped}`);
  console.log(
    `ingested ${documents} documents (${chunks} chunks), ${unchanged} unchanged, ` +
      `${removed} removed, ${failed} failed in ${((performance.now() - started_ms) / 1_000).toFixed(1)} s`,
  );
  if (stop.signal.aborted) {
    console.error("stopped: run the same command again to go on from here");
    return 130;
  }
  return failed > 0 ? 1 : 0;
}

function readCommand(): IngestRequest {
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
