/** A prompt back into what the retriever made it from: numbered sources and a question. */

export interface Passage {
  /** As the prompt numbers it, from 1. */
  readonly number: number;
  readonly title: string;
  readonly text: string;
}

export interface ParsedPrompt {
  readonly passages: readonly Passage[];
  readonly question: string;
}

const SOURCE = /<source>\n\[(\d+)\] (.*)\n([\s\S]*?)\n<\/source>/g;
const QUESTION = /<question>\n([\s\S]*)\n<\/question>/;

/** A prompt of any other shape is a question without sources. */
export function parsePrompt(prompt: string): ParsedPrompt {
  const text = prompt.replaceAll("\r\n", "\n").trim();
  const question = QUESTION.exec(text);
  if (!question) return { passages: [], question: text };
  const passages = [...text.slice(0, question.index).matchAll(SOURCE)].map(
    ([, number, title = "", passage = ""]) => ({ number: Number(number), title, text: passage.trim() }),
  );
  return { passages, question: question[1] ?? "" };
}
