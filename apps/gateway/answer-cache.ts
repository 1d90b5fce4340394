/**
 * Answers that are kept for whoever asks the same again, in Redis, for all gateways.
 *
 * The life of one:
 * 1. `look`: the corpus' revision is read, and what is kept under the digest of it, the tenant, the exact question and all settings
 *    that an answer depends on. So no answer outlives a change of the corpus, and no tenant has another's.
 * 2. Where there is none, the line answers, and `keep` reads the revision again: only where it is the same was the answer of it
 *    alone. A failure is never kept, nor an answer larger than allowed.
 * 3. It is forgotten after its time.
 *
 * It is a convenience: where the store or Redis does not answer, the question goes down the line.
 */
import type { Redis } from "ioredis";
import {
  type AnswerCompletion,
  contract,
  DEFAULT_TOP_K,
  KeptAnswer,
  type QueryRequest,
  type RedisNames,
} from "#contracts";
import type { VectorStore } from "#vector-store";

export interface AnswerCacheOptions {
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly store: Pick<VectorStore, "revision">;
  /** All that an answer depends on beside the question and the corpus. */
  readonly settings: unknown;
  readonly ttl_s: number;
  readonly max_bytes: number;
  readonly observe: (outcome: "hit" | "miss" | "passed") => void;
}

/** Where a question's answer is kept. */
export interface Place {
  readonly kept?: CachedAnswer;
  /** Keeps the line's answer. Never rejects. */
  keep(completion: AnswerCompletion): Promise<void>;
}

/** As the line's, but that nobody worked on it. */
export type CachedAnswer = AnswerCompletion & { readonly cached: true };

export interface Asked {
  readonly tenant: string;
  /** The request's `Cache-Control`. */
  readonly cache_control?: string | null;
}

const kept = contract(KeptAnswer);
const NOWHERE: Place = { async keep() {} };

export class AnswerCache {
  constructor(private readonly options: AnswerCacheOptions) {}

  /** Never rejects. */
  async look(question: QueryRequest, { tenant, cache_control }: Asked): Promise<Place> {
    const { observe, store } = this.options;
    const wishes = cache_control?.toLowerCase().split(/\s*,\s*/) ?? [];
    const fresh = wishes.includes("no-cache");
    const passed = wishes.includes("no-store");
    const revision = passed ? undefined : await store.revision().catch(() => undefined);
    if (revision === undefined) {
      observe("passed");
      return NOWHERE;
    }
    const key = this.#key(question, tenant, revision);
    const answer = fresh ? undefined : await this.#read(key);
    observe(fresh ? "passed" : answer ? "hit" : "miss");
    return { kept: answer, keep: (completion) => this.#keep(key, revision, completion) };
  }

  #key({ query, top_k = DEFAULT_TOP_K, filter }: QueryRequest, tenant: string, revision: string): string {
    const { names, settings } = this.options;
    const all = JSON.stringify([tenant, revision, settings, query, top_k, filter]);
    return names.answer(new Bun.CryptoHasher("sha256").update(all).digest("base64url"));
  }

  async #read(key: string): Promise<CachedAnswer | undefined> {
    try {
      const text = await this.options.redis.get(key);
      const answer: unknown = text === null ? undefined : JSON.parse(text);
      if (!kept.check(answer)) return undefined;
      return { ...answer, job_id: crypto.randomUUID(), status: "ok", timings: {}, cached: true };
    } catch {
      return undefined;
    }
  }

  async #keep(key: string, revision: string, completion: AnswerCompletion): Promise<void> {
    const { redis, store, ttl_s, max_bytes } = this.options;
    const { answer, sources, selected_replica, worker } = completion;
    const text = JSON.stringify({ answer, sources, selected_replica, worker } satisfies KeptAnswer);
    if (Buffer.byteLength(text) > max_bytes) return;
    try {
      if ((await store.revision()) === revision) await redis.set(key, text, "EX", ttl_s);
    } catch {
      // Asked again, it is answered again.
    }
  }
}
