/**
 * A text in the smallest pieces that a chunk may begin or end with: its lines or sentences, and where
 * one of these is too long the words in it, and of a word its characters.
 */

/** Tokens that a text takes up, as far as a chunk's room goes. */
export type Measure = (text: string) => number;

const sentenceBreaks = new Intl.Segmenter("en", { granularity: "sentence" });
const wordBreaks = new Intl.Segmenter("en", { granularity: "word" });
const characterBreaks = new Intl.Segmenter("en", { granularity: "grapheme" });

/** UTF-16 units of a piece of a word that is cut: a window holds them even at three tokens each. */
const WORD_PIECE_CHARS = 32;

/** From the best place to cut to the last resort. Each loses nothing: its parts joined are the text. */
const levels: ((text: string) => Iterable<string>)[] = [
  (text) => text.split(/(?<=\n)/),
  (text) => Array.from(sentenceBreaks.segment(text), ({ segment }) => segment),
  words,
  wordPieces,
];
const LINES = 0;
const SENTENCES = 1;

/** Pieces of `text` that measure at most `limit`; joined, they are `text` again. */
export function pieces(text: string, unit: "lines" | "sentences", limit: number, measure: Measure): string[] {
  return [...cut(text, unit === "lines" ? LINES : SENTENCES, limit, measure)];
}

function* cut(text: string, level: number, limit: number, measure: Measure): Generator<string> {
  for (const part of levels[level]?.(text) ?? []) {
    if (level === levels.length - 1 || measure(part) <= limit) yield part;
    else yield* cut(part, level + 1, limit, measure);
  }
}

/** By dictionary where a script has no spaces; white space stays with the word before it. */
function* words(text: string): Generator<string> {
  let word = "";
  for (const { segment } of wordBreaks.segment(text)) {
    if (word && segment.trim()) {
      yield word;
      word = "";
    }
    word += segment;
  }
  if (word) yield word;
}

function* wordPieces(word: string): Generator<string> {
  let piece = "";
  for (const { segment } of characterBreaks.segment(word)) {
    if (piece && piece.length + segment.length > WORD_PIECE_CHARS) {
      yield piece;
      piece = "";
    }
    piece += segment;
  }
  if (piece) yield piece;
}
