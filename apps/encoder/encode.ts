/**
 * A batch of the encoder. A question gets its vector and goes on to the retriever; a text whose vector is all that is
 * wanted is done here.
 */
import type { EmbeddingIn, EncoderIn, RetrieverIn } from "#contracts";
import type { EmbeddingModel } from "#embedding";
import { Completed, Fail, type Outcome } from "#queue";
import type { QuestionVectors } from "./question-vectors.ts";

export interface EncodeTools {
  readonly model: Pick<EmbeddingModel, "tokenize" | "countTokens" | "window">;
  readonly vectors: Pick<QuestionVectors, "packed">;
}

/** For each job, in order, what becomes of it. */
export function encodeHandler({ model, vectors }: EncodeTools) {
  const special_tokens = model.tokenize("").length;

  /**
   * Tokens of a text, special tokens included.
   * @throws Fail for more than the model reads: the vector would be that of another text, which nobody could tell.
   */
  const tokensOf = (text: string): number => {
    const read = model.tokenize(text).length;
    if (read < model.window) return read;
    const all = model.countTokens(text) + special_tokens;
    if (all <= model.window) return all;
    const message = `a text has ${all} tokens, and the model reads ${model.window}: cut it into shorter ones`;
    throw new Fail("context_length_exceeded", message);
  };

  return async (jobs: readonly (EncoderIn | EmbeddingIn)[]): Promise<Outcome<RetrieverIn>[]> => {
    const counted = jobs.map((job) => {
      if (!("only" in job)) return 0;
      try {
        return tokensOf(job.text);
      } catch (error) {
        return error as Error;
      }
    });
    const wanted = jobs.flatMap((job, i) => (counted[i] instanceof Error ? [] : [textOf(job)]));
    const embeddings = (await vectors.packed(wanted)).values();
    return jobs.map((job, i) => {
      const tokens = counted[i]!;
      if (tokens instanceof Error) return tokens;
      const embedding = embeddings.next().value!;
      if (!("only" in job)) return { ...job, embedding };
      return new Completed({ job_id: job.job_id, timings: {}, status: "ok", embedding, tokens });
    });
  };
}

function textOf(job: EncoderIn | EmbeddingIn): string {
  return "only" in job ? job.text : job.query;
}
