/**
 * What is counted with every question, plainly, and told to Prometheus's client when it is asked for: it finds each value by its
 * labels anew, which was a fifth of what a question costs the gateway itself.
 */
import { Counter, Gauge, Histogram, type Registry } from "prom-client";

interface About {
  readonly name: string;
  readonly help: string;
  readonly registers: Registry[];
}

/** A counter with a status for a label. */
export class StatusCounter {
  readonly #counted = new Map<number, number>();

  /** @param known statuses that are shown before they are counted: a rate needs the series to exist. */
  constructor(about: About, known: readonly number[]) {
    for (const status of known) this.#counted.set(status, 0);
    const counted = this.#counted;
    new Counter({
      ...about,
      labelNames: ["status"],
      collect() {
        for (const [status, count] of counted) this.inc({ status }, count);
        for (const status of counted.keys()) counted.set(status, 0);
      },
    });
  }

  inc({ status }: { readonly status: number }): void {
    this.#counted.set(status, (this.#counted.get(status) ?? 0) + 1);
  }
}

/** A gauge of how many there are now. */
export class Level {
  #level = 0;

  constructor(about: About) {
    const level = () => this.#level;
    new Gauge({
      ...about,
      collect() {
        this.set(level());
      },
    });
  }

  inc(): void {
    this.#level++;
  }

  dec(): void {
    this.#level--;
  }
}

/** Most values that are kept to be told together. */
const KEPT = 1_000;

/** A histogram of seconds. */
export class Seconds {
  #kept: number[] = [];
  readonly #histogram: Histogram;

  constructor(about: About & { readonly buckets: number[] }) {
    this.#histogram = new Histogram({ ...about, collect: () => this.#tell() });
  }

  observe(seconds: number): void {
    if (this.#kept.push(seconds) >= KEPT) this.#tell();
  }

  #tell(): void {
    for (const seconds of this.#kept) this.#histogram.observe(seconds);
    this.#kept = [];
  }
}
