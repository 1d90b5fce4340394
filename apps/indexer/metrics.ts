/** How far the indexer is, for Prometheus: a stage's own metrics count documents, and these their chunks. */
import { Counter, Gauge, type Registry } from "prom-client";
import type { Turn } from "./turn.ts";

export class IndexerMetrics {
  readonly #embedded = new Counter({
    name: "ragline_indexer_chunks_total",
    help: "Chunks embedded",
    registers: [],
  });
  readonly #left = new Gauge({
    name: "ragline_indexer_chunks_left",
    help: "Chunks not embedded yet, of the documents that are being indexed",
    registers: [],
  });

  register(registry: Registry): void {
    registry.registerMetric(this.#embedded);
    registry.registerMetric(this.#left);
  }

  /** A turn that counts as it goes; `end` it however the work ended. */
  counting(turn: Turn): Turn & { end(): void } {
    let left = 0;
    let done = 0;
    const reach = (now: number, total: number) => {
      this.#embedded.inc(now - done);
      this.#left.inc(total - now - left);
      done = now;
      left = total - now;
    };
    return {
      renew: async (now, total) => {
        reach(now, total);
        await turn.renew(now, total);
      },
      write: async (total) => {
        reach(total, total);
        await turn.write(total);
      },
      end: () => this.#left.dec(left),
    };
  }
}
