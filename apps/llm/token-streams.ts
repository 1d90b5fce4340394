/**
 * Answers on their way to whoever reads them as they come: entries of `job:tokens:<JOB_ID>`.
 *
 * What all answers of this worker have grown by is written together, every few milliseconds: one round trip for all, and
 * a token waits for no longer than that. Each gateway is told which of its jobs' have grown, in the same round trip. After a
 * lost connection entries may be written twice; readers pass over the second.
 */
import type { Redis } from "ioredis";
import {
  MAX_TOKEN_WAKES,
  type RedisNames,
  type Source,
  TOKENS_TTL_SECONDS,
  type TokenEntry,
} from "#contracts";

const WRITE_EVERY_MS = 5;

/** One attempt to answer; it takes the place of those before it with its first token. */
export type Run = (text: string) => void;

export interface TokenStream {
  sources(sources: readonly Source[]): void;
  run(): Run;
  /** Resolves when Redis has all that was written, or refused it: whoever reads along is then told by the completion. */
  written(): Promise<unknown>;
}

/** For jobs whose tokens nobody asked for. */
export const UNREAD: TokenStream = { sources() {}, run: () => () => {}, written: async () => {} };

export class TokenStreams {
  readonly #grown = new Set<Growing>();
  #timer: Timer | undefined;
  #wrote_at = 0;
  #writing: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly redis: Redis,
    private readonly names: RedisNames,
    private readonly trouble: (error: Error) => void,
  ) {}

  /** @param reply_to the gateway that the job is of. */
  open(job_id: string, reply_to: string): TokenStream {
    const growing = new Growing(job_id, reply_to, () => this.#due(growing));
    return {
      sources: (sources) => growing.add({ sources: [...sources] }),
      run: () => growing.run(),
      written: () => {
        if (this.#grown.has(growing)) this.#write();
        return this.#writing;
      },
    };
  }

  #due(growing: Growing): void {
    this.#grown.add(growing);
    const wait_ms = this.#wrote_at + WRITE_EVERY_MS - performance.now();
    this.#timer ??= setTimeout(() => this.#write(), Math.max(0, wait_ms));
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#wrote_at = performance.now();
    const { names } = this;
    const pipeline = this.redis.pipeline();
    const grown = new Map<string, string[]>();
    for (const growing of this.#grown) {
      const { job_id, reply_to } = growing;
      const key = names.tokens(job_id);
      for (const entry of growing.take()) pipeline.xadd(key, "*", "entry", JSON.stringify(entry));
      pipeline.expire(key, TOKENS_TTL_SECONDS);
      grown.set(reply_to, [...(grown.get(reply_to) ?? []), job_id]);
    }
    for (const [gateway, job_ids] of grown) {
      const wake = names.tokensWake(gateway);
      pipeline.xadd(wake, "MAXLEN", "~", MAX_TOKEN_WAKES, "*", "jobs", JSON.stringify(job_ids));
      pipeline.expire(wake, TOKENS_TTL_SECONDS);
    }
    this.#grown.clear();
    this.#writing = pipeline.exec().then(
      (replies) => {
        const refused = replies?.find(([error]) => error)?.[0];
        if (refused) this.trouble(refused);
      },
      (error) => this.trouble(error),
    );
  }
}

class Growing {
  #entries: TokenEntry[] = [];

  constructor(
    readonly job_id: string,
    readonly reply_to: string,
    private readonly grown: () => void,
  ) {}

  add(entry: TokenEntry): void {
    this.#entries.push(entry);
    this.grown();
  }

  take(): TokenEntry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }

  run(): Run {
    const run = crypto.randomUUID();
    let at = 0;
    return (text) => {
      if (at === 0) this.add({ begin: run });
      const last = this.#entries.at(-1);
      if (last && "run" in last && last.run === run) last.text += text;
      else this.add({ run, at, text });
      at += text.length;
    };
  }
}
