/**
 * Writes what became of taken messages back to Redis, in batches.
 *
 * What is handed in while a batch is under way forms the next one: no wait when idle, few round trips under
 * load (one script call a message costs 2.4x). A batch that Redis did not take is sent again until it is:
 * every script takes effect only while its message is still held, so once more does no harm.
 */
import { COMPLETION_TTL_SECONDS, MAX_DEAD_LETTERS, type RedisNames } from "#contracts";
import { toError } from "./outcome.ts";
import type { QueueRedis } from "./scripts.ts";
import type { Turn } from "./turn.ts";

/** Messages in one script call: keeps a call well under a millisecond of Redis's time. */
const MAX_BATCH = 128;
const RESEND_AFTER_MS = 200;

export interface Caller {
  readonly job_id: string;
  /** The gateway to wake; without one, it finds the completion by looking. */
  readonly reply_to?: string;
}

interface Move {
  readonly message: string;
  readonly write: string;
  readonly caller?: Caller;
  /** Of a successor: whose turn it waits for. */
  readonly turn?: Turn;
  /** Of an end: whether the job was worked on. */
  readonly worked?: boolean;
  readonly written: () => void;
  readonly gone: (error: unknown) => void;
}

export interface SettlerKeys {
  readonly processing: string;
  /** Absent for a last stage. */
  readonly next?: string;
  readonly dead: string;
  readonly delayed: string;
  readonly deliveries: string;
  readonly queue: string;
}

export class Settler {
  #moves: Move[] = [];
  #ends: Move[] = [];
  #writing = false;
  #batch: Promise<unknown> | undefined;
  #sending: PromiseWithResolvers<void> | undefined;

  constructor(
    private readonly redis: QueueRedis,
    private readonly names: RedisNames,
    private readonly keys: SettlerKeys,
    private readonly trouble: (error: Error) => void,
    private readonly completion_ttl_s = COMPLETION_TTL_SECONDS,
  ) {}

  /** The batch that is being written, where one is: resolves when Redis has it, or is gone for good. */
  get underWay(): Promise<unknown> | undefined {
    return this.#batch;
  }

  /** Resolves when all that was handed in to be settled or completed is sent; nothing where it already is. */
  get sent(): Promise<void> | undefined {
    return this.#sending?.promise;
  }

  /** The message is done and `successor` goes on to the next queue. Resolves when Redis has it. */
  settle(message: string, successor: string, turn: Turn): Promise<void> {
    return this.#add(this.#moves, message, successor, turn);
  }

  /**
   * The message is done and its caller gets `completion`, as JSON. Resolves when Redis has it.
   * @param worked whether it took its consumer any time, which tells how fast the queue is.
   */
  complete(message: string, caller: Caller, completion: string, worked: boolean): Promise<void> {
    return this.#add(this.#ends, message, completion, undefined, caller, worked);
  }

  /** The message is laid aside as a dead letter; resolves with how many there are, over the limit included. */
  async bury(
    message: string | Buffer,
    letter: string,
    caller?: Caller,
    completion?: string,
  ): Promise<number> {
    const { processing, dead } = this.keys;
    const told =
      caller && completion
        ? {
            keys: [this.names.completion(caller.job_id)],
            args: [this.completion_ttl_s, completion, ...this.#wake(caller)],
          }
        : { keys: [], args: [] };
    const keys = [processing, dead, ...told.keys];
    return this.#persist(() =>
      this.redis.queueBury(keys.length, ...keys, message, letter, MAX_DEAD_LETTERS, ...told.args),
    );
  }

  /** The message waits for `delay_ms`, as `successor`. */
  async delay(message: string, successor: string, delay_ms: number): Promise<void> {
    const { processing, delayed, deliveries } = this.keys;
    await this.#persist(() =>
      this.redis.queueDelay(processing, delayed, deliveries, message, successor, Math.ceil(delay_ms)),
    );
  }

  #add(
    list: Move[],
    message: string,
    write: string,
    turn: Turn | undefined,
    caller?: Caller,
    worked?: boolean,
  ): Promise<void> {
    return new Promise((written, gone) => {
      list.push({ message, write, turn, caller, worked, written, gone });
      this.#sending ??= Promise.withResolvers();
      if (this.#writing) return;
      this.#writing = true;
      queueMicrotask(() => this.#write());
    });
  }

  async #write(): Promise<void> {
    while (this.#moves.length > 0 || this.#ends.length > 0) {
      const moves = this.#moves.splice(0, MAX_BATCH);
      const ends = this.#ends.splice(0, MAX_BATCH);
      const batch = Promise.all([
        moves.length > 0 && this.#persist(() => this.#settleAll(moves)),
        ends.length > 0 && this.#persist(() => this.#completeAll(ends)),
      ]);
      if (this.#moves.length === 0 && this.#ends.length === 0) {
        this.#sending?.resolve();
        this.#sending = undefined;
      }
      this.#batch = batch.catch(() => {});
      try {
        await batch;
        for (const { written } of [...moves, ...ends]) written();
      } catch (error) {
        for (const { gone } of [...moves, ...ends]) gone(error);
      }
    }
    this.#batch = undefined;
    this.#writing = false;
  }

  #settleAll(moves: Move[]): Promise<number> {
    const { processing, next, deliveries, queue } = this.keys;
    if (!next) throw new Error("a last stage has no next queue to settle into");
    return this.redis.queueSettle(
      processing,
      next,
      deliveries,
      queue,
      ...moves.flatMap((move) => [move.message, move.write, ...move.turn!]),
    );
  }

  #completeAll(ends: Move[]): Promise<number> {
    const completion_keys = ends.map((end) => this.names.completion(end.caller!.job_id));
    const { processing, deliveries, queue } = this.keys;
    const keys = [processing, deliveries, queue, ...completion_keys];
    const worked = ends.filter((end) => end.worked).length;
    const args = ends.flatMap((end) => [end.message, end.write, ...this.#wake(end.caller!)]);
    return this.redis.queueComplete(keys.length, ...keys, this.completion_ttl_s, worked, ...args);
  }

  #wake(caller: Caller): [channel: string, job_id: string] {
    return [this.names.done(caller.reply_to ?? ""), caller.job_id];
  }

  async #persist<T>(write: () => Promise<T>): Promise<T> {
    for (;;) {
      try {
        return await write();
      } catch (error) {
        if (this.redis.status === "end") throw error;
        this.trouble(toError(error));
        await Bun.sleep(RESEND_AFTER_MS);
      }
    }
  }
}
