/**
 * Least connections over counts that all gateways and workers share.
 *
 * A count is a set of leases, one a job in flight, each ending with its job's deadline: what a crashed gateway
 * had counted leaves by itself, and no count can go negative. Choosing and counting are one script, so two
 * gateways never choose on the same count.
 *
 * The life of a lease:
 * 1. `reserve` at admission: the replica with the fewest, ties at random.
 * 2. `move`, where that replica fails: to another one, in one step.
 * 3. `release` on completion, time-out, error and disconnect; or its end, if its gateway died.
 */

import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import { withBalancerScripts } from "./scripts.ts";

/** A lease outlives its job's deadline by this, so that it is released rather than forgotten. */
const GRACE_MS = 5_000;

export class LeastConnections {
  readonly #redis: ReturnType<typeof withBalancerScripts>;
  readonly #keys: string[];

  /** @param replicas base URLs; all gateways and workers of a line are given the same ones. */
  constructor(
    redis: Redis,
    names: RedisNames,
    readonly replicas: readonly string[],
  ) {
    this.#redis = withBalancerScripts(redis);
    this.#keys = replicas.flatMap((url) => [names.load(url), names.inflight(url)]);
  }

  /** Chooses a replica for a job and counts it there until `deadline` (epoch ms). Resolves with its URL. */
  async reserve(job_id: string, deadline: number): Promise<string> {
    const chosen = await this.#choose(job_id, deadline, 0, []);
    const url = this.replicas[chosen - 1];
    if (url === undefined) throw new Error("no replica is configured: set LLM_REPLICAS");
    return url;
  }

  /**
   * Counts a job on another replica than those in `failed`, instead of on `from`. Resolves with its URL;
   * `undefined` if there is no other, or if the job is not counted any more: then its caller is gone.
   */
  async move(
    job_id: string,
    deadline: number,
    from: string,
    failed: readonly string[],
  ): Promise<string | undefined> {
    const chosen = await this.#choose(
      job_id,
      deadline,
      this.#index(from),
      failed.map((url) => this.#index(url)),
    );
    return this.replicas[chosen - 1];
  }

  /** Counts a job back, wherever it is counted. Safe to repeat. */
  async release(job_id: string): Promise<void> {
    await this.#redis.balancerRelease(this.#keys.length, ...this.#keys, job_id);
  }

  /** Jobs in flight per replica, as of now. */
  async loads(): Promise<Map<string, number>> {
    const loads = await this.#redis.balancerLoads(this.#keys.length, ...this.#keys);
    return new Map(this.replicas.map((url, i) => [url, loads[i] ?? 0]));
  }

  #choose(job_id: string, deadline: number, leaving: number, excluded: number[]): Promise<number> {
    const random = Math.floor(Math.random() * 0x7fffffff);
    const ends = deadline + GRACE_MS;
    return this.#redis.balancerReserve(
      this.#keys.length,
      ...this.#keys,
      job_id,
      ends,
      random,
      leaving,
      ...excluded,
    );
  }

  /** From 1, as in Lua; 0 for a replica that is not configured here. */
  #index(url: string): number {
    return this.replicas.indexOf(url) + 1;
  }
}
