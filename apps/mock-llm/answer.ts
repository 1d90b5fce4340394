/**
 * An answer drawn from the sources of a prompt, so that it can be right or wrong: the sentences that share the
 * most with the question, each with its citation. The same prompt gives the same answer.
 */
import { type Passage, parsePrompt } from "./prompt.ts";
import { contentWords, sentences } from "./words.ts";

export const NO_ANSWER = "The sources do not say.";

const MOST_SENTENCES = 3;
/** Share of the best sentence's score that another must reach to be said too. */
const NEAR_THE_BEST = 0.8;
/** What a word of the question counts in a source's title, against 1 in the sentence itself. */
const TITLE_WEIGHT = 0.5;

interface Candidate {
  readonly number: number;
  readonly sentence: string;
  readonly score: number;
}

/** One to three sentences, nearest first, each followed by ` [number]`; `NO_ANSWER` where none shares a content word. */
export function answerFrom(prompt: string): string {
  const { passages, question } = parsePrompt(prompt);
  const read = passages.map(readPassage);
  const weights = weighWords(new Set(contentWords(question)), read);
  const candidates = read.flatMap((passage) => scoreSentences(passage, weights));
  const best = Math.max(...candidates.map(({ score }) => score));
  return (
    candidates
      .filter(({ score }) => score >= best * NEAR_THE_BEST)
      .sort((a, b) => b.score - a.score) // stable: of equals, the first in the prompt
      .slice(0, MOST_SENTENCES)
      .map(({ sentence, number }) => `${sentence} [${number}]`)
      .join(" ") || NO_ANSWER
  );
}

/** A passage as content words. A sentence that comes twice is one. */
interface ReadPassage {
  readonly number: number;
  readonly title: readonly string[];
  readonly sentences: ReadonlyMap<string, readonly string[]>;
}

function readPassage({ number, title, text }: Passage): ReadPassage {
  const words = sentences(text).map((sentence) => [sentence, contentWords(sentence)] as const);
  return { number, title: contentWords(title), sentences: new Map(words) };
}

/** Each word of the question, by its rarity over the sources (inverse document frequency). */
function weighWords(words: ReadonlySet<string>, passages: readonly ReadPassage[]): Map<string, number> {
  const found = passages.map(({ title, sentences }) => new Set([title, ...sentences.values()].flat()));
  const weight = (word: string) => {
    const holding = found.filter((of) => of.has(word)).length;
    return Math.log(1 + passages.length / Math.max(holding, 1));
  };
  return new Map([...words].map((word) => [word, weight(word)]));
}

/** The passage's sentences that share a word with the question. */
function scoreSentences(passage: ReadPassage, weights: ReadonlyMap<string, number>): Candidate[] {
  const { number } = passage;
  const total = (words: readonly string[]) =>
    [...new Set(words)].reduce((sum, word) => sum + (weights.get(word) ?? 0), 0);
  const title = TITLE_WEIGHT * total(passage.title);
  return [...passage.sentences].flatMap(([sentence, words]) => {
    const shared = total(words);
    return shared === 0 ? [] : [{ number, sentence, score: shared + title }];
  });
}

/** An answer as a model would stream it: words with the space before them. */
export function tokens(answer: string): string[] {
  return answer.match(/\s*\S+/g) ?? [];
}
