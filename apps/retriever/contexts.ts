/** Which of the found chunks go into the prompt. */
import type { Source } from "#contracts";
import type { SearchHit } from "#vector-store";

export interface ContextLimits {
  /** Least cosine to the question: unlike the score, it says as much of one question as of another. */
  readonly min_cosine: number;
  /** Most tokens of all of them. The first always goes in: a bound must not leave a question without a source. */
  readonly max_tokens: number;
}

/** Contexts, best first: those near enough, as many as fit. */
export function selectContexts(hits: readonly SearchHit[], limits: ContextLimits): Source[] {
  const contexts: Source[] = [];
  let tokens = 0;
  for (const hit of hits) {
    // A further one may be near: the ranking is by words too.
    if (hit.cosine < limits.min_cosine) continue;
    tokens += hit.tokens;
    if (contexts.length > 0 && tokens > limits.max_tokens) break;
    const { id, title, source, score, text } = hit;
    contexts.push({ id, title, source, score, text });
  }
  return contexts;
}
