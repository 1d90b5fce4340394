/** A run second by second: what was due in each, and what became of it. */
import { Durations } from "./durations.ts";

export class Second {
  sent = 0;
  answered = 0;
  failed = 0;
  /** Coarse: there is one for every second of the run. */
  readonly latency = new Durations(2);
}

export class Timeline {
  readonly #seconds: Second[] = [];

  /** The second in which a request was due, `at_ms` after the start; those before it exist too. */
  at(at_ms: number): Second {
    const index = Math.max(0, Math.floor(at_ms / 1_000));
    while (this.#seconds.length <= index) this.#seconds.push(new Second());
    return this.#seconds[index]!;
  }

  get seconds(): readonly Second[] {
    return this.#seconds;
  }
}
