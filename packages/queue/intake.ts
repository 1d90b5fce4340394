/** How messages come in: by a script where there are some, by a command that waits at the server where there are none. */
import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import { BLOCK_SECONDS } from "./connection.ts";
import type { Lane, QueueRedis } from "./scripts.ts";

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

  constructor(private readonly options: IntakeOptions) {
    const { blocking, trouble } = options;
    const identify = () => blocking.client("ID").then((id) => (this.#client = id), trouble);
    blocking.on("ready", identify);
    if (blocking.status === "ready") identify();
  }

  /** Up to `room` messages, with the lane they came by; waits for one for a while, where `held` and the lane allow it. */
  async take(room: number, held: number): Promise<{ lane: Lane; messages: string[] }> {
    const { redis, blocking, names, queue, processing, mayWait } = this.options;
    const from = names.queue(queue);
    const [lane, ...messages] = await redis.queueTake(from, processing, names.retry(queue), room, held);
    if (messages.length === 0 && lane === "queue" && mayWait()) {
      const message = await blocking.blmove(from, processing, "RIGHT", "LEFT", BLOCK_SECONDS);
      if (message !== null) messages.push(message);
    }
    return { lane, messages };
  }

  /** Ends a wait at the server, where there is one: cutting its connection could lose a reply that is under way. */
  unblock(): void {
    const { redis, trouble } = this.options;
    if (this.#client === undefined || redis.status !== "ready") return;
    redis.client("UNBLOCK", this.#client).catch(trouble);
  }
}
