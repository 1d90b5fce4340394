/** How much waits in a queue. */
import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import depth from "./lua/depth.lua" with { type: "text" };
import lanes from "./lua/lanes.lua" with { type: "text" };

type DepthRedis = Redis & { queueDepth(queue: string): Promise<number> };

export class Depths {
  readonly #redis: DepthRedis;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
  ) {
    redis.defineCommand("queueDepth", { lua: `${lanes}\n${depth}`, numberOfKeys: 1 });
    this.#redis = redis as DepthRedis;
  }

  /** Messages in the queue of this name that no consumer has taken; rejects as the connection does. */
  of(queue: string): Promise<number> {
    return this.#redis.queueDepth(this.names.queue(queue));
  }
}
