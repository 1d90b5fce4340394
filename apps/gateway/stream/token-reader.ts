/**
 * Reads the token streams of all jobs that this gateway's clients read along, on one connection.
 *
 * Its life: one XREAD after another, each over all followed streams and one of the gateway's own. It waits at the server
 * until any of them grows. A job that is followed from now on is not in the XREAD that waits: an entry in the gateway's
 * own stream ends it, and the next one has it, from its first entry on. (CLIENT UNBLOCK would be lost when it comes just
 * before the wait begins.)
 */
import type { Redis } from "ioredis";
import { type RedisNames, type TokenEntry, tokenEntry } from "#contracts";
import { BLOCK_SECONDS } from "#queue";

/** An entry's id in its stream, and what it holds. */
export type ReadEntry = readonly [id: string, entry: TokenEntry];

/** Called with entries in order; one that came before may come again. */
export type OnEntries = (entries: readonly ReadEntry[]) => void;

const READ_AGAIN_AFTER_MS = 200;
const WAKE_TTL_SECONDS = 60;
/** A read over many streams is dear, so it waits for more to come: a millisecond for this many. */
const STREAMS_PER_MS = 1_000;

interface Followed {
  last: string;
  readonly readers: Set<OnEntries>;
}

export class TokenReader {
  readonly #followed = new Map<string, Followed>();
  readonly #wake: string;
  #woken = "0";
  #waking = false;

  /**
   * @param waiting a connection of its own, as it waits at the server; the reader ends with it.
   * @param redis for commands.
   */
  constructor(
    gateway: string,
    private readonly waiting: Redis,
    private readonly redis: Redis,
    private readonly names: RedisNames,
  ) {
    this.#wake = names.tokensWake(gateway);
    this.#listen();
  }

  /** A job's entries, from the first on, until the returned function is called. */
  follow(job_id: string, reader: OnEntries): () => void {
    const key = this.names.tokens(job_id);
    const followed = this.#followed.get(key) ?? { last: "0", readers: new Set() };
    followed.last = "0"; // another reader needs what came before
    followed.readers.add(reader);
    this.#followed.set(key, followed);
    this.#wakeUp();
    return () => {
      followed.readers.delete(reader);
      if (followed.readers.size === 0 && this.#followed.get(key) === followed) this.#followed.delete(key);
    };
  }

  /** A job's entries so far. Rejects as the connection does. */
  async read(job_id: string): Promise<ReadEntry[]> {
    return parse(await this.redis.xrange(this.names.tokens(job_id), "-", "+"));
  }

  #wakeUp(): void {
    if (this.#waking) return;
    this.#waking = true;
    this.redis
      .pipeline()
      .xadd(this.#wake, "MAXLEN", 1, "*", "follow", "")
      .expire(this.#wake, WAKE_TTL_SECONDS)
      .exec()
      .catch(() => {}); // the wait ends by itself, within BLOCK_SECONDS
  }

  async #listen(): Promise<void> {
    const { waiting } = this;
    while (waiting.status !== "end") {
      // What is followed from here on is not in this read.
      this.#waking = false;
      const read = new Map(this.#followed);
      const ids = [...read.values()].map(({ last }) => last);
      try {
        const found = await waiting.xread(
          "BLOCK",
          BLOCK_SECONDS * 1_000,
          "STREAMS",
          this.#wake,
          ...read.keys(),
          this.#woken,
          ...ids,
        );
        for (const [key, entries] of found ?? []) this.#tell(key, entries, read.get(key));
      } catch {
        await Bun.sleep(READ_AGAIN_AFTER_MS);
      }
      const pause_ms = Math.floor(read.size / STREAMS_PER_MS);
      if (pause_ms > 0) await Bun.sleep(pause_ms);
    }
  }

  #tell(key: string, entries: Entries, followed: Followed | undefined): void {
    const last = entries.at(-1)?.[0];
    if (last && key === this.#wake) this.#woken = last;
    if (!last || !followed) return;
    followed.last = last;
    const parsed = parse(entries);
    for (const reader of followed.readers) reader(parsed);
  }
}

type Entries = [id: string, fields: string[]][];

/** What does not fit is passed over: the completion has the whole answer. */
function parse(entries: Entries): ReadEntry[] {
  return entries.flatMap(([id, [, text = ""]]) => {
    try {
      const entry: unknown = JSON.parse(text);
      return tokenEntry.check(entry) ? [[id, entry] as const] : [];
    } catch {
      return [];
    }
  });
}
