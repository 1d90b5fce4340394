/** The thread that parses and cuts documents: see `Chunker`. */
import { loadTokenizer, type Tokenizer } from "#embedding";
import type { ChunkerOrder, Cut } from "./chunker.ts";
import { chunkDocument } from "./chunks.ts";
import { parseDocument, type SourceDocument } from "./document.ts";

declare const self: Worker;

let order: ChunkerOrder | undefined;
let tokenizer: Promise<Tokenizer>;

self.onmessage = async ({ data }: MessageEvent<ChunkerOrder | SourceDocument>) => {
  if ("window" in data) {
    order = data;
    tokenizer = loadTokenizer(data.model);
    return;
  }
  const { window } = order!;
  const counter = await tokenizer;
  const parsed = parseDocument(data);
  const passages = chunkDocument(parsed, { window, countTokens: (text) => counter.count(text) });
  self.postMessage({ title: parsed.title, passages } satisfies Cut);
};
