/**
 * Jobs that nobody wants done any more, as every consumer knows of them.
 *
 * They are read from a stream in Redis that keeps each until its job's deadline has passed. So a consumer that starts
 * later, or was away, reads what it missed: `refresh` before it takes anything, and the waiting read from then on.
 * What is taken costs nothing more: a look at what is known here.
 */

import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import { BLOCK_SECONDS } from "./connection.ts";

type Entries = [id: string, fields: string[]][];

const READ_AGAIN_AFTER_MS = 200;

export class Cancellations {
  /** Until when each is needed, epoch ms. */
  readonly #ids = new Map<string, number>();
  readonly #listeners: ((job_id: string) => void)[] = [];
  readonly #stream: string;
  #last = "0";

  /**
   * @param waiting a connection of its own, as it waits at the server; it ends with it.
   * @param redis for commands.
   */
  constructor(
    private readonly waiting: Redis,
    names: RedisNames,
    private readonly redis: Redis,
  ) {
    this.#stream = names.cancelled();
    this.#listen();
  }

  has(job_id: string): boolean {
    return this.#ids.has(job_id);
  }

  onCancel(listener: (job_id: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves when all that were cancelled before are known here; rejects as the connection does. */
  async refresh(): Promise<void> {
    this.#add(await this.redis.xrange(this.#stream, `(${this.#last}`, "+"));
  }

  async #listen(): Promise<void> {
    const { waiting } = this;
    while (waiting.status !== "end") {
      try {
        const found = await waiting.xread(
          "BLOCK",
          BLOCK_SECONDS * 1_000,
          "STREAMS",
          this.#stream,
          this.#last,
        );
        const entries: Entries = found?.[0]?.[1] ?? [];
        this.#add(entries);
        this.#last = entries.at(-1)?.[0] ?? this.#last;
      } catch {
        await Bun.sleep(READ_AGAIN_AFTER_MS);
      }
    }
  }

  #add(entries: Entries): void {
    const now = Date.now();
    for (const [, [, job_id = "", , until]] of entries) {
      if (this.#ids.has(job_id)) continue;
      this.#ids.set(job_id, Number(until));
      for (const listener of this.#listeners) listener(job_id);
    }
    // Insertion order is nearly that of the deadlines.
    for (const [old, until] of this.#ids) {
      if (until > now) break;
      this.#ids.delete(old);
    }
  }
}
