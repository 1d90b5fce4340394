/** Which of the found chunks go into the prompt. */
import type { Source } from "#contracts";
import type { SearchHit } from "#vector-store";

export interface ContextLimits {
  /** Least score of a context. */
  readonly min_score: number;
  /** Most tokens of all of them. The first always goes in: a bound must not leave a question without a source. */
  readonly max_tokens: number;
}

/** Contexts, best first: those near enough, as many as fit. */
export function selectContexts(hits: readonly SearchHit[], limits: ContextLimits): Source[] {
  const contexts: Source[] = [];
  let tokens = 0;
  for (const hit of hits) {
    if (hit.score < limits.min_score) break;
    tokens += hit.tokens;
    if (contexts.length > 0 && tokens > limits.max_tokens) break;
    const { id, title, source, score, text } = hit;
    contexts.push({ id, title, source, score, text });
  }
  return contexts;
}
