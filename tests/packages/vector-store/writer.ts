/** A writer in a process of its own: replaces one document again and again, and prints each version committed. */
import { openSqliteStore } from "#vector-store";
import { chunksOf, documentOf } from "./passages.ts";

const [path = "", chunks = "1", versions = "1"] = process.argv.slice(2);
const store = openSqliteStore({ path });
for (let version = 0; version < Number(versions); version++) {
  const document = documentOf("document", `v${version}`);
  await store.upsert(document, chunksOf(document, Number(chunks)));
  await Bun.write(Bun.stdout, `v${version}\n`);
}
await store.close();
