/**
 * Cuts a document into chunks of at most `CHUNK_TOKENS`, each of which fits in the embedding model's window with its
 * context.
 *
 * A chunk stays within one section. It ends with a block where that leaves it at least half full, else
 * with a sentence, and the next one begins with the last sentences of it again, so that what is said
 * across a cut can be found. Nothing is lost: the chunks without their overlap are the blocks.
 */
import type { ParsedDocument } from "./document.ts";
import type { Block } from "./outline.ts";
import { type Measure, pieces } from "./pieces.ts";
import { sectionsOf } from "./sections.ts";

/** Part of every digest: a new version means that all documents are cut and embedded anew. */
export const CHUNKING_VERSION = 2;

/**
 * Most tokens of a chunk with its context and special tokens. Small chunks are found better: what a vector says of one
 * thing is not thinned by others. 128 is also what the default model was trained on, whatever its window.
 */
export const CHUNK_TOKENS = 128;

export interface Passage {
  readonly title: string;
  readonly heading_path: readonly string[];
  readonly text: string;
  /** Length of `text` in tokens, without special tokens. */
  readonly tokens: number;
}

/** What cutting must know of the embedding model. */
export interface TokenWindow {
  /** Most tokens of one text, with special tokens. */
  readonly window: number;
  countTokens(text: string): number;
}

/** `[CLS]` and `[SEP]`. */
const SPECIAL_TOKENS = 2;
const OVERLAP_TOKENS = 32;
/**
 * A word longer than 100 characters is one token to the model, `[UNK]`; by its characters it still takes
 * up room, which bounds the length of a chunk. English has about 4.5 characters a token.
 */
const MAX_CHARS_PER_TOKEN = 8;

/** What is embedded for a passage: its title and headings too, since few passages name what they are about. */
export function embeddedText({ title, heading_path, text }: Omit<Passage, "tokens">): string {
  return `${[title, ...heading_path].filter(Boolean).join(": ")}\n${text}`;
}

/** The document's passages in order; none if it has no text. */
export function chunkDocument({ title, blocks }: ParsedDocument, model: TokenWindow): Passage[] {
  const most = Math.min(CHUNK_TOKENS, model.window);
  const measure: Measure = (text) => {
    const by_length = text.length / MAX_CHARS_PER_TOKEN;
    return by_length > most ? by_length : Math.max(by_length, model.countTokens(text));
  };
  const room = most - SPECIAL_TOKENS;
  return sectionsOf(blocks, measure).flatMap((section) => {
    const context = fitContext(title, section.heading_path, room / 2, measure);
    const budget = room - measure(embeddedText({ ...context, text: "" }));
    return cutSection(section.blocks, budget, measure).map((text) => ({
      ...context,
      text,
      tokens: model.countTokens(text),
    }));
  });
}

/** Drops the outermost headings, at last the end of the title, until both fit in `limit`. */
function fitContext(title: string, headings: readonly string[], limit: number, measure: Measure) {
  const heading_path = [...headings];
  while (heading_path.length > 0 && measure(embeddedText({ title, heading_path, text: "" })) > limit) {
    heading_path.shift();
  }
  if (measure(title) <= limit) return { title, heading_path };
  return { title: pieces(title, "sentences", limit, measure)[0]?.trim() ?? "", heading_path };
}

interface Piece {
  readonly text: string;
  readonly ends_block: boolean;
}

function piecesOf(blocks: readonly Block[], limit: number, measure: Measure): Piece[] {
  return blocks.flatMap((block) => {
    const unit = block.kind === "paragraph" ? "sentences" : "lines";
    const texts = pieces(block.text, unit, limit, measure);
    return texts.map((text, at) => {
      const ends_block = at === texts.length - 1;
      return { text: ends_block ? `${text}\n\n` : text, ends_block };
    });
  });
}

function cutSection(blocks: readonly Block[], budget: number, measure: Measure): string[] {
  const all = piecesOf(blocks, budget, measure);
  const sizes = all.map((piece) => measure(piece.text));
  // ends[i] is the size of all pieces before i: a range is measured by one subtraction.
  const ends = [0];
  for (const size of sizes) ends.push(ends.at(-1)! + size);
  const size = (from: number, to: number) => ends[to]! - ends[from]!;
  const textOf = (from: number, to: number) =>
    all
      .slice(from, to)
      .map((piece) => piece.text)
      .join("")
      .replace(/^\n+/, "")
      .trimEnd();

  const chunks: string[] = [];
  for (let done = 0; done < all.length; ) {
    let from = done;
    while (from > 0 && size(from - 1, done) <= OVERLAP_TOKENS) from--;
    while (from < done && size(from, done + 1) > budget) from++;

    let to = done + 1;
    while (to < all.length && size(from, to + 1) <= budget) to++;
    if (to < all.length) to = bestEnd(done, to);
    // Parts of one word can take more tokens together than apart.
    while (to - from > 1 && measure(textOf(from, to)) > budget) from < done ? from++ : to--;

    chunks.push(textOf(from, to));
    done = to;
  }
  return chunks.filter(Boolean);

  /** Where best to end a chunk that starts at `done` and could hold all up to `limit`. */
  function bestEnd(done: number, limit: number): number {
    for (let to = limit; to > done && size(done, to) >= budget / 2; to--) {
      if (all[to - 1]!.ends_block) return to;
    }
    const rest = size(done, all.length);
    if (rest >= 1.5 * budget) return limit;
    // Two chunks of like size rather than a full one and a scrap.
    let to = limit;
    while (to > done + 1 && size(done, to) > rest / 2) to--;
    return to;
  }
}
