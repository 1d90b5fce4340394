/** How messages come in: by a script where there are some, by a command that waits at the server where there are none. */
import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import { BLOCK_SECONDS } from "./connection.ts";
import type { Lane, QueueRedis } from "./scripts.ts";
import { mayHideOthers } from "./turn.ts";

/**
 * Where messages come one at a time (nothing lay behind one that was waited for), this many are waited for in a row
 * without a look in between: it found nothing, and kept Redis from the next stage for a moment (three hops idle: P50 of
 * 2.0x plain BRPOP's with it, 1.6x without). More would hold up a burst.
 */
const MAX_UNLOOKED = 8;

export interface IntakeOptions {
  readonly redis: QueueRedis;
  readonly blocking: Redis;
  readonly names: RedisNames;
  readonly queue: string;
  /** The list that messages are moved to. */
  readonly processing: string;
  /** Asked before each wait at the server. */
  readonly mayWait: () => boolean;
  readonly trouble: (error: unknown) => void;
}

export class Intake {
  /** The waiting connection, as the server knows it. */
  #client: number | undefined;
  /** The message taken last had been waited for. */
  #waited = false;
  /** How often yet to wait for a message without a look into the queue and the retry lane, and the time of the next look at the latest. */
  #unlooked = 0;
  #look_at = 0;

  constructor(private readonly options: IntakeOptions) {
    const { blocking, trouble } = options;
    const identify = () => blocking.client("ID").then((id) => (this.#client = id), trouble);
    blocking.on("ready", identify);
    if (blocking.status === "ready") identify();
  }

  /** The next take waits at the server without a look before it: messages come one at a time. */
  get waitsNext(): boolean {
    return this.#unlooked > 0;
  }

  /** Up to `room` messages, with the lane they came by; waits for one for a while, where `held` and the lane allow it. */
  async take(room: number, held: number): Promise<{ lane: Lane; messages: string[] }> {
    const { redis, blocking, names, queue, processing, mayWait } = this.options;
    const from = names.queue(queue);
    if (this.#unlooked === 0 || performance.now() > this.#look_at) {
      const [lane, ...messages] = await redis.queueTake(from, processing, names.retry(queue), room, held);
      const nothing = messages.length === 0 && lane === "queue";
      this.#unlooked = nothing && this.#waited ? MAX_UNLOOKED : 0;
      this.#look_at = performance.now() + BLOCK_SECONDS * 1_000;
      if (!nothing) {
        this.#waited = false;
        return { lane, messages };
      }
    } else {
      this.#unlooked--;
    }
    if (!mayWait()) return { lane: "queue", messages: [] };
    const message = await blocking.blmove(from, processing, "RIGHT", "LEFT", BLOCK_SECONDS);
    this.#waited = message !== null;
    if (message !== null && mayHideOthers(message)) this.#unlooked = 0;
    return { lane: "queue", messages: message === null ? [] : [message] };
  }

  /** Ends a wait at the server, where there is one: cutting its connection could lose a reply that is under way. */
  unblock(): void {
    this.#unlooked = 0;
    const { redis, trouble } = this.options;
    if (this.#client === undefined || redis.status !== "ready") return;
    redis.client("UNBLOCK", this.#client).catch(trouble);
  }
}
