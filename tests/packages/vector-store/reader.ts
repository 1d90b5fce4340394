/**
 * A reader in a process of its own: searches again and again until the document has the last version, both by
 * words and by meaning, and prints how many searches it made. Ends with 1 if one of them found part of a version.
 */
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore } from "#vector-store";
import { unitVector } from "./passages.ts";

const [path = "", chunks = "1", last = "v0"] = process.argv.slice(2);
const store = openSqliteStore({ path, readonly: true });
for (let searches = 1; ; searches++) {
  const mode = searches % 2 ? "dense" : "text";
  const request = {
    tenant: DEFAULT_TENANT,
    mode,
    vector: unitVector(1),
    text: "passage",
    top_k: 1_000,
  } as const;
  const hits = await store.search(request);
  const versions = new Set(hits.map(({ text }) => text.split(" ")[0]));
  if (versions.size > 1 || (hits.length > 0 && hits.length !== Number(chunks))) {
    console.error(`a ${mode} search found ${hits.length} chunks of ${[...versions]}`);
    process.exit(1);
  }
  if (versions.has(last)) {
    console.log(searches);
    break;
  }
}
await store.close();
