/** Where on the line a job is. Looked for only when somebody asks: jobs move too often to keep a list. */
import type { Redis } from "ioredis";
import type { Queue, RedisNames } from "#contracts";
import findJob from "./lua/find_job.lua" with { type: "text" };
import turn from "./lua/turn.lua" with { type: "text" };

export type JobPlace =
  /** It waits; `position` 1 is taken next. */
  | { readonly kind: "queued"; readonly queue: string; readonly position: number }
  /** A consumer of this queue has it. */
  | { readonly kind: "held"; readonly queue: string }
  /** Between two places, or on its way out of the line. */
  | { readonly kind: "moving" };

/** Messages looked at in one script: well under a millisecond of Redis's time. */
const PART = 100;

interface FindCommands {
  queueFindJob(list: string, job: string, skip: number, count: number): Promise<number>;
  queueTurn(queue: string, tenant: string, place: number): Promise<number>;
}

export class JobPlaces {
  readonly #redis: Redis & FindCommands;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    private readonly line: readonly Pick<Queue, "name">[],
  ) {
    redis.defineCommand("queueFindJob", { lua: findJob, numberOfKeys: 1 });
    redis.defineCommand("queueTurn", { lua: turn, numberOfKeys: 1 });
    this.#redis = redis as Redis & FindCommands;
  }

  /** Rejects as the connection does. */
  async find(job_id: string, tenant: string): Promise<JobPlace> {
    const { names } = this;
    // In the direction in which jobs move: one that moves on meanwhile is found further along.
    for (const { name: queue } of this.line) {
      const in_lane = await this.#search(names.lane(queue, tenant), job_id);
      if (in_lane > 0) {
        const turn = await this.#redis.queueTurn(names.queue(queue), tenant, in_lane);
        return { kind: "queued", queue, position: Math.max(1, turn) };
      }
      const position = await this.#search(names.queue(queue), job_id);
      if (position > 0) return { kind: "queued", queue, position };
      const retry = await this.#search(names.retry(queue), job_id);
      if (retry > 0) return { kind: "queued", queue, position: retry };
      const consumers = await this.#redis.zrange(names.consumers(queue), "0", "-1");
      const held = await Promise.all(
        consumers.map((consumer) => this.#search(names.processing(queue, consumer), job_id)),
      );
      if (held.some((place) => place > 0)) return { kind: "held", queue };
    }
    return { kind: "moving" };
  }

  async #search(list: string, job_id: string): Promise<number> {
    const wanted = JSON.stringify(job_id);
    for (let skip = 0; ; skip += PART) {
      const place = await this.#redis.queueFindJob(list, wanted, skip, PART);
      if (place !== 0) return place;
    }
  }
}
