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

const SOURCES = "Sources:\n\n";
const QUESTION = "\n\nQuestion: ";

/** A prompt of any other shape is a question without sources. */
export function parsePrompt(prompt: string): ParsedPrompt {
  const text = prompt.replaceAll("\r\n", "\n").trim();
  const start = text.indexOf(SOURCES);
  // The last one: a passage may hold such a line too.
  const end = text.lastIndexOf(QUESTION);
  if (end === -1) return { passages: [], question: text };
  return {
    passages: start === -1 || start > end ? [] : parsePassages(text.slice(start + SOURCES.length, end)),
    question: text.slice(end + QUESTION.length).replace(/\nAnswer:$/, ""),
  };
}

/** Only the number that is due begins a source: a passage may hold lines that begin with `[1]`. */
function parsePassages(text: string): Passage[] {
  const passages: { number: number; title: string; lines: string[] }[] = [];
  for (const block of text.split(/\n\n+/)) {
    const header = `[${passages.length + 1}] `;
    const current = passages.at(-1);
    if (block.startsWith(header)) {
      const [title = "", ...lines] = block.slice(header.length).split("\n");
      passages.push({ number: passages.length + 1, title, lines });
    } else {
      current?.lines.push("", block);
    }
  }
  return passages.map(({ number, title, lines }) => ({ number, title, text: lines.join("\n").trim() }));
}
