/**
 * Questions to their vectors, each encoded once while it is remembered: users repeat each other.
 *
 * 1. In memory, by the question as it was typed.
 * 2. In Redis, by the digest of its tokens: what the model makes of it, so that questions which differ only in what it
 *    does not see (case, accents, spaces) share a vector, and none gets another's.
 * 3. Encoded, equal ones of a batch once; and kept in both.
 */
import { LRUCache } from "lru-cache";
import { packEmbedding } from "#contracts";
import type { EmbeddingModel } from "#embedding";
import type { SharedVectors } from "./shared-vectors.ts";

/** Where a question's vector came from; those that others of the same batch share came from memory. */
export type Origin = "memory" | "redis" | "model";

export interface QuestionVectorsOptions {
  readonly model: Pick<EmbeddingModel, "tokenize" | "embedTokens">;
  /** Most questions kept in memory, 2 KB each; 0 keeps none beyond the batch that they came in. */
  readonly most: number;
  readonly shared?: Pick<SharedVectors, "get" | "keep">;
  /** Told of each question. */
  readonly observe?: (origin: Origin) => void;
}

export class QuestionVectors {
  readonly #kept: LRUCache<string, string> | undefined;

  constructor(private readonly options: QuestionVectorsOptions) {
    this.#kept = options.most > 0 ? new LRUCache({ max: options.most }) : undefined;
  }

  /** The packed vectors of `questions`, in order. */
  async packed(questions: readonly string[]): Promise<string[]> {
    const found = new Map(questions.map((question) => [question, this.#kept?.get(question)]));
    const missing = [...found].filter(([, packed]) => packed === undefined).map(([question]) => question);
    const from_memory = questions.length - missing.length;
    for (let i = 0; i < from_memory; i++) this.options.observe?.("memory");
    if (missing.length > 0) {
      for (const [question, vector] of await this.#vectors(missing)) {
        const packed = packEmbedding(vector);
        found.set(question, packed);
        this.#kept?.set(question, packed);
      }
    }
    return questions.map((question) => found.get(question)!);
  }

  /** @param questions no two alike */
  async #vectors(questions: readonly string[]): Promise<Map<string, Float32Array>> {
    const { model, shared, observe } = this.options;
    const digests = new Map<string, string>();
    const tokens = new Map<string, readonly number[]>();
    for (const question of questions) {
      const ids = model.tokenize(question);
      const digest = digestOf(ids);
      digests.set(question, digest);
      if (tokens.has(digest)) observe?.("memory");
      tokens.set(digest, ids);
    }
    const vectors = new Map<string, Float32Array>();
    const wanted = [...tokens.keys()];
    const kept = await shared?.get(wanted);
    wanted.forEach((digest, i) => {
      const vector = kept?.[i];
      if (vector) vectors.set(digest, vector);
      observe?.(vector ? "redis" : "model");
    });
    const missing = wanted.filter((digest) => !vectors.has(digest));
    if (missing.length > 0) {
      const encoded = await model.embedTokens(missing.map((digest) => tokens.get(digest)!));
      const made = new Map(missing.map((digest, i) => [digest, encoded[i]!]));
      for (const [digest, vector] of made) vectors.set(digest, vector);
      shared?.keep(made); // nobody waits for it
    }
    return new Map(questions.map((question) => [question, vectors.get(digests.get(question)!)!]));
  }
}

function digestOf(tokens: readonly number[]): string {
  return new Bun.CryptoHasher("sha256").update(Int32Array.from(tokens)).digest("base64url");
}
