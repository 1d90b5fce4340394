/** What a consumer holds, and the wait for room among it. */
import type { Envelope } from "#contracts";

export interface Held<T> {
  readonly message: string;
  /** Absent for a message that does not fit. */
  readonly job?: T & Envelope;
  /** Its outcome is on its way to Redis: there it may be held or not. */
  settling: boolean;
}

export class Holdings<T> {
  readonly #held = new Set<Held<T>>();
  /** Where somebody waits. */
  #changed: PromiseWithResolvers<void> | undefined;

  get size(): number {
    return this.#held.size;
  }

  has(held: Held<T>): boolean {
    return this.#held.has(held);
  }

  add(held: Held<T>): void {
    this.#held.add(held);
  }

  release(held: Held<T>): void {
    this.#held.delete(held);
    this.wake();
  }

  /** What is held of a job. */
  ofJob(job_id: string): Held<T>[] {
    return [...this.#held].filter((held) => held.job?.job_id === job_id);
  }

  /**
   * What differs from what Redis holds: `messages` that are not known here, and what is known here but lost. The same
   * message may be held twice.
   */
  difference(messages: readonly string[]): { unknown: string[]; lost: Held<T>[] } {
    const missing = new Set(this.#held);
    const unknown = messages.filter((message) => {
      const held = missing.values().find((one) => one.message === message);
      return !(held && missing.delete(held));
    });
    return { unknown, lost: [...missing].filter((held) => !held.settling) };
  }

  /** Resolves when `done` says so; it is asked after each release and each `wake`. */
  async until(done: () => boolean): Promise<void> {
    while (!done()) {
      this.#changed ??= Promise.withResolvers();
      await this.#changed.promise;
    }
  }

  wake(): void {
    this.#changed?.resolve();
    this.#changed = undefined;
  }
}
