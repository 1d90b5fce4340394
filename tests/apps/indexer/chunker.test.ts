import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { loadTokenizer } from "#embedding";
import { Chunker, TooComplex } from "../../../apps/indexer/chunker.ts";
import { chunkDocument } from "../../../apps/indexer/chunks.ts";
import { parseDocument, type SourceDocument } from "../../../apps/indexer/document.ts";
import { directory } from "../../packages/embedding/model-root.ts";

setDefaultTimeout(60_000);

const WINDOW = 256;
const tokenizer = await loadTokenizer({ directory });
let chunker: Chunker;
afterEach(() => chunker.close());

const document = (content: string): SourceDocument => ({
  id: "a.md",
  source: "a.md",
  format: "markdown",
  content,
});
/** Lists in lists, as deep as Markdown is still read as such: seconds of work. */
const nested = Array.from({ length: 49 }, (_, i) => `${"  ".repeat(i)}- item ${i}`)
  .join("\n")
  .concat("\n\n")
  .repeat(200);

test("it cuts as the indexer itself would", async () => {
  chunker = new Chunker({ model: { directory }, window: WINDOW });
  const texts = ["# A\n\nSome text.", `# B\n\n${"A sentence of B. ".repeat(200)}`, ""].map(document);
  const cuts = await Promise.all(texts.map((text) => chunker.cut(text)));
  for (const [i, text] of texts.entries()) {
    const parsed = parseDocument(text);
    const passages = chunkDocument(parsed, {
      window: WINDOW,
      countTokens: (words) => tokenizer.count(words),
    });
    expect(cuts[i]).toEqual({ title: parsed.title, passages });
  }
});

test("a document that takes too long is given up, and the next one is cut", async () => {
  chunker = new Chunker({
    model: { directory },
    window: WINDOW,
    limit_ms: (chars) => (chars > 1_000 ? 500 : 30_000),
  });
  const given_up = chunker.cut(document(nested));
  const next = chunker.cut(document("# Next\n\nText."));
  await expect(given_up).rejects.toBeInstanceOf(TooComplex);
  expect((await next).title).toBe("Next");
});

test("while it cuts, the main thread goes on", async () => {
  chunker = new Chunker({ model: { directory }, window: WINDOW });
  await chunker.cut(document("The tokenizer is loaded."));
  let ticks = 0;
  const ticking = setInterval(() => ticks++, 1);
  await chunker.cut(document("- a\n  - b\n    - c\n\n".repeat(2_000)));
  clearInterval(ticking);
  expect(ticks).toBeGreaterThan(10);
});
