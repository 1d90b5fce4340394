/** What requests cost a key's tokens of the day. */
import { type Completion, estimateTokens } from "#contracts";

/** As its replica counted it, else an estimate; one without an answer costs nothing. */
export function tokensOfAnswer(query: string, completion: Completion): number {
  if (!("answer" in completion)) return 0;
  const { usage, answer, sources } = completion;
  if (usage) return usage.prompt_tokens + usage.completion_tokens;
  return estimateTokens(query, answer, ...sources.map(({ text }) => text));
}
