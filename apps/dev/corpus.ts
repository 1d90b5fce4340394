/**
 * The corpus that ships with the project, for a store that is empty. Embedding it takes many seconds, so set-up
 * does it once, into a SQLite file; a first start copies that file, or ingests where the store is Qdrant.
 */
import { copyFileSync, existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Static } from "@sinclair/typebox";
import { openConfiguredStore, sqlitePath } from "#runtime";
import type { devSettings } from "./config.ts";

export const INGEST_CORPUS = [process.execPath, "apps/indexer/ingest.ts", "corpus"];

/** The data folder in which set-up leaves the embedded corpus. */
export function embeddedCorpus(model_dir: string): string {
  return join(model_dir, "corpus");
}

export async function loadCorpus(config: Static<typeof devSettings>): Promise<void> {
  const { DATA_DIR, QDRANT_URL, MODEL_DIR } = config;
  const seed = sqlitePath(embeddedCorpus(MODEL_DIR));
  const path = sqlitePath(DATA_DIR);
  if (!QDRANT_URL && !existsSync(path) && existsSync(seed)) {
    mkdirSync(DATA_DIR, { recursive: true });
    copyFileSync(seed, `${path}.new`);
    renameSync(`${path}.new`, path);
    return;
  }
  // Not for reading only: a file of an older version is brought up to date here, before anything reads it.
  const store = openConfiguredStore(config);
  const { documents } = await store.info();
  await store.close();
  if (documents > 0) return;
  const ingest = Bun.spawn(INGEST_CORPUS, { stdin: "ignore", stdout: "inherit", stderr: "inherit" });
  if ((await ingest.exited) !== 0) {
    throw new Error("the corpus could not be loaded: `bun run ingest corpus` says why");
  }
}
