/**
 * Gives back what consumers held that have died or frozen, and what has waited out its backoff.
 *
 * Every consumer of a queue runs one; which of them acts does not matter. It waits for a whole lease after a start
 * and after each reconnect: after an outage of Redis everybody looks dead to everybody.
 */
import { MAX_DEAD_LETTERS, type RedisNames } from "#contracts";
import { BLOCK_SECONDS } from "./connection.ts";
import { toError } from "./outcome.ts";
import type { QueueRedis } from "./scripts.ts";

export interface ReaperOptions {
  readonly redis: QueueRedis;
  readonly names: RedisNames;
  readonly queue: string;
  readonly stage: string;
  readonly lease_ms: number;
  readonly max_deliveries: number;
  /** How long a dead job's completion is kept, seconds. */
  readonly completion_ttl_s: number;
  /** What was given back and what became a dead letter, where anything was. */
  readonly reaped: (returned: number, buried: number) => void;
  readonly trouble: (error: Error) => void;
}

/** A pending BLMOVE may serve a consumer for this long after its last sign of life. */
const LOOK_AFTER_MS = BLOCK_SECONDS * 1_000 + 30_000;
const PROMOTE_EVERY_MS = 100;

export class Reaper {
  readonly #timers: Timer[];
  #not_before = 0;

  constructor(private readonly options: ReaperOptions) {
    const { redis, lease_ms } = options;
    redis.on("ready", this.#wait);
    this.#wait();
    // Consumers that started together should not all reap at once.
    const every_ms = (lease_ms / 4) * (0.8 + 0.4 * Math.random());
    this.#timers = [
      setInterval(() => this.#reap(), every_ms),
      setInterval(() => this.#promote(), PROMOTE_EVERY_MS),
    ];
  }

  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
    this.options.redis.off("ready", this.#wait);
  }

  readonly #wait = (): void => {
    this.#not_before = performance.now() + this.options.lease_ms;
  };

  async #reap(): Promise<void> {
    const { redis, names, queue, stage, max_deliveries, completion_ttl_s, reaped, trouble } = this.options;
    if (redis.status !== "ready" || performance.now() < this.#not_before) return;
    try {
      const [returned, buried] = await redis.queueReap(
        names.consumers(queue),
        names.deliveries(queue),
        names.dead(queue),
        names.retry(queue),
        names.processing(queue, ""),
        max_deliveries,
        LOOK_AFTER_MS,
        stage,
        MAX_DEAD_LETTERS,
        names.completion(""),
        names.done(""),
        completion_ttl_s,
      );
      if (returned + buried > 0) reaped(returned, buried);
    } catch (error) {
      trouble(toError(error));
    }
  }

  async #promote(): Promise<void> {
    const { redis, names, queue } = this.options;
    if (redis.status !== "ready") return;
    await redis.queuePromote(names.delayed(queue), names.queue(queue)).catch(this.options.trouble);
  }
}
