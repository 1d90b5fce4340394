/** So many at once; the others wait in order of arrival. */
export class Slots {
  #taken = 0;
  readonly #queue: (() => void)[] = [];

  constructor(private readonly size: number) {}

  get in_flight(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#queue.length;
  }

  /** Resolves once a slot is the caller's, until it calls `release`; rejects with the signal's reason, then without. */
  async acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#taken < this.size) {
      this.#taken++;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const leave = () => {
      this.#queue.splice(this.#queue.indexOf(enter), 1);
      reject(signal.reason);
    };
    const enter = () => {
      signal.removeEventListener("abort", leave);
      resolve();
    };
    this.#queue.push(enter);
    signal.addEventListener("abort", leave, { once: true });
    await promise;
  }

  /** The slot goes to whoever waits longest. */
  release(): void {
    const next = this.#queue.shift();
    if (next) next();
    else this.#taken--;
  }
}
