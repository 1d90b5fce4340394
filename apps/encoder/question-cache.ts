/** Users repeat each other: a question's vector is kept, packed, while it is among the last ones asked. */
import { LRUCache } from "lru-cache";
import { packEmbedding } from "#contracts";
import type { EmbeddingModel } from "#embedding";

export class QuestionCache {
  readonly #kept: LRUCache<string, string> | undefined;

  /** @param size most questions kept, 2 KB each; 0 keeps none beyond the batch that they came in. */
  constructor(
    private readonly model: Pick<EmbeddingModel, "embed">,
    size: number,
  ) {
    this.#kept = size > 0 ? new LRUCache({ max: size }) : undefined;
  }

  /** The packed vectors of `questions`, in order. Equal ones are encoded once, kept ones not at all. */
  async packed(questions: readonly string[]): Promise<string[]> {
    const found = new Map(questions.map((question) => [question, this.#kept?.get(question)]));
    const missing = [...found].filter(([, packed]) => packed === undefined).map(([question]) => question);
    const vectors = missing.length > 0 ? await this.model.embed(missing) : [];
    for (const [i, question] of missing.entries()) {
      const packed = packEmbedding(vectors[i]!);
      found.set(question, packed);
      this.#kept?.set(question, packed);
    }
    return questions.map((question) => found.get(question)!);
  }
}
