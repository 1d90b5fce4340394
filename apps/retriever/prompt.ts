/** What a replica is asked: instructions, numbered sources, the question. */
import type { Source } from "#contracts";

const INSTRUCTIONS =
  "Answer the question from the numbered sources below, and from nothing else. " +
  "Cite the sources you use by number, like [1]. If the sources do not hold the answer, say so.";

/** The sources are numbered from 1 in the order given: `[1]` in an answer is the first of them. */
export function buildPrompt(query: string, sources: readonly Pick<Source, "title" | "text">[]): string {
  const numbered = sources.map(({ title, text }, i) => `[${i + 1}] ${title}\n${text}`);
  return [INSTRUCTIONS, "Sources:", ...numbered, `Question: ${query}\nAnswer:`].join("\n\n");
}
