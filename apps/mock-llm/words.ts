/** Text as sentences, and as the words that tell what it is about. */

const STOP_WORDS = new Set(
  (
    "a about an and any are as at be been being between but by can could did do does doing for from get had has have " +
    "how i if in into is it its like me more most much my no not of on one or other our so some such than that the " +
    "their them then there these they this those to up us use used uses using was way we were what when where which " +
    "while who whom whose why will with would you your explain describe tell mean means meaning difference"
  ).split(" "),
);

/** Stems of the content words, in order, with repeats: lower case, no accents, no stop words. */
export function contentWords(text: string): string[] {
  const plain = text
    .toLowerCase()
    .normalize("NFD")
    .replace(/\p{Mn}|['’]s\b/gu, "");
  const words = plain.match(/[\p{L}\p{N}]+/gu) ?? [];
  return words.filter((word) => !STOP_WORDS.has(word)).map(stem);
}

/** Enough of a stemmer that `caches`, `cached` and `caching` are one word. */
function stem(word: string): string {
  if (word.length < 5) return word.replace(/(?<=[^s]{2})s$/, "");
  return word.replace(/(?:ies|y)$/, "i").replace(/(?:ations?|ings?|ed|es|e|s)$/, "");
}

/**
 * Sentences in order. A line that begins in lower case goes on from the one before; any other is an item of a
 * list, without its mark. Bracketed numbers go: in an answer they would read as citations.
 */
export function sentences(text: string): string[] {
  return text
    .replace(/ *\[\d+\]/g, "")
    .split(/\n\s*(?=\n|[-*+|>#\p{Lu}]|\d+[.)])/u)
    .map((line) =>
      line
        .replace(/^\s*(?:[-*+|>#]+|\d+[.)])\s+/, "")
        .replace(/\s+/g, " ")
        .trim(),
    )
    .flatMap((line) => line.split(/(?<=[.!?]["'”’)]*)\s+(?=["'“‘(]*[\p{Lu}\p{N}])/u))
    .filter((sentence) => /\p{L}/u.test(sentence));
}
