/** Fills a store: `filler.ts FILE CHUNKS`, with progress on stderr. */
import { openSqliteStore } from "#vector-store";
import { fill } from "./documents.ts";

const [path = "", size = ""] = process.argv.slice(2);
const chunks = Number(size);
const store = openSqliteStore({ path });
const started = performance.now();
let shown = 0;
await fill(store, chunks, (done) => {
  const now = performance.now();
  if (done < chunks && now - shown < 1_000) return;
  shown = now;
  process.stderr.write(`\r${done} of ${chunks} chunks written, ${Math.round((now - started) / 1_000)} s`);
});
process.stderr.write("\n");
await store.close();
