/**
 * The one way from text to search terms, for documents and questions and for both stores: what is indexed by one
 * rule is not found by another.
 *
 * 1. NFKD, Latin marks dropped, lower case: `Café` and `cafe` are one word.
 * 2. Runs of letters and digits are words.
 * 3. English stop words go: they decide nothing, and cost most of a search's time.
 * 4. Porter's stem (https://tartarus.org/martin/PorterStemmer/) of what is left.
 */
import { stemmer } from "stemmer";
import { eng } from "stopword";

const STOP_WORDS = new Set(eng);
const MARKS = /[\u0300-\u036f]/g;
const WORDS = /[\p{L}\p{N}\p{M}]+/gu;

/** The terms of `text` in order, repetitions kept; none if it has no word. */
export function analyse(text: string): string[] {
  const words = text.normalize("NFKD").replace(MARKS, "").toLowerCase().match(WORDS) ?? [];
  return words.filter((word) => !STOP_WORDS.has(word)).map(stemmer);
}
