/**
 * Commits a document of ten new chunks ten times a second, faster than the encoder can make them, and prints each
 * one's id once it is committed: `committer.ts FILE CHUNKS`. Runs until it is killed.
 */
import { openSqliteStore } from "#vector-store";
import { documentOf } from "./documents.ts";

const INTERVAL_MS = 100;
const CHUNKS_A_DOCUMENT = 10;

const [path = "", size = ""] = process.argv.slice(2);
const chunks = Number(size);
const store = openSqliteStore({ path });
for (let document = 0; ; document++) {
  const first = chunks + document * CHUNKS_A_DOCUMENT;
  const numbers = Array.from({ length: CHUNKS_A_DOCUMENT }, (_, i) => first + i);
  const from = performance.now();
  await store.upsert(...documentOf(`new-${document}`, numbers, chunks));
  await Bun.write(Bun.stdout, `${document}\n`);
  await Bun.sleep(Math.max(0, INTERVAL_MS - (performance.now() - from)));
}
