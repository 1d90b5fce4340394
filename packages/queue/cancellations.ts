/**
 * Jobs that nobody waits for any more, heard of on one channel by every consumer.
 *
 * An id is remembered for as long as its job may still be on the line, so that it is dropped where it is taken next. A
 * consumer that starts later does not know of it: the job is then done for nobody, as it would be without this.
 */

import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";

/** Longer than a job's deadline allows it to be on the line. */
const REMEMBER_MS = 120_000;

export class Cancellations {
  readonly #ids = new Map<string, number>();
  readonly #listeners: ((job_id: string) => void)[] = [];

  /** @param subscriber a connection of its own. */
  constructor(subscriber: Redis, names: RedisNames) {
    subscriber.on("message", (_channel, job_id: string) => this.#add(job_id));
    subscriber.subscribe(names.cancel()).catch(() => {}); // the connection is closing
  }

  has(job_id: string): boolean {
    return this.#ids.has(job_id);
  }

  onCancel(listener: (job_id: string) => void): void {
    this.#listeners.push(listener);
  }

  #add(job_id: string): void {
    const now = performance.now();
    // Insertion order is order of age.
    for (const [old, until] of this.#ids) {
      if (until > now) break;
      this.#ids.delete(old);
    }
    this.#ids.set(job_id, now + REMEMBER_MS);
    for (const listener of this.#listeners) listener(job_id);
  }
}

/** Tells every consumer that nobody waits for a job any more. */
export async function cancel(redis: Redis, names: RedisNames, job_id: string): Promise<void> {
  await redis.publish(names.cancel(), job_id);
}
