/** The model with nothing around it: prints chunks/s over all chunks of the given Markdown files, in one call. */
import { readFileSync } from "node:fs";
import { loadModel } from "#embedding";
import { chunkDocument, embeddedText } from "../../apps/indexer/chunks.ts";
import { parseDocument } from "../../apps/indexer/document.ts";

const model = await loadModel({ directory: ".models" });
const texts = process.argv.slice(2).flatMap((path) => {
  const content = readFileSync(path, "utf8");
  const parsed = parseDocument({ id: path, source: path, format: "markdown", content });
  return chunkDocument(parsed, model).map(embeddedText);
});
await model.embed(texts.slice(0, 16));
const started = performance.now();
await model.embed(texts);
console.log(JSON.stringify({ chunks_per_s: (texts.length / (performance.now() - started)) * 1_000 }));
