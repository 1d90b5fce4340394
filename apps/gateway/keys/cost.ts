/** What requests cost a key's tokens of the day: an estimate, as replicas count each in their own way, or not at all. */
import type { Completion } from "#contracts";

/** English text, in most models' vocabularies. */
const CHARS_PER_TOKEN = 4;

export function tokensOf(...texts: readonly { length: number }[]): number {
  let chars = 0;
  for (const { length } of texts) chars += length;
  return Math.ceil(chars / CHARS_PER_TOKEN);
}

/** A question, the sources that it was answered from, and the answer; one without an answer costs nothing. */
export function tokensOfAnswer(query: string, completion: Completion): number {
  if (!("answer" in completion)) return 0;
  return tokensOf(query, completion.answer, ...completion.sources.map(({ text }) => text));
}
