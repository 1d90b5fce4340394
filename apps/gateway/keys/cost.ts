/** What requests cost a key's tokens of the day: an estimate, as replicas count each in their own way, or not at all. */
import type { AnswerCompletion } from "#contracts";

/** English text, in most models' vocabularies. */
const CHARS_PER_TOKEN = 4;

export function tokensOf(...texts: readonly { length: number }[]): number {
  return Math.ceil(texts.reduce((sum, { length }) => sum + length, 0) / CHARS_PER_TOKEN);
}

/** A question, the sources that it was answered from, and the answer. */
export function tokensOfAnswer(query: string, { answer, sources }: AnswerCompletion): number {
  return tokensOf(query, answer, ...sources.map(({ text }) => text));
}
