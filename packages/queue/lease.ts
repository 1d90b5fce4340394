/**
 * A consumer's lease: for as long as it is renewed, nobody takes back what the consumer holds.
 *
 * 1. `takeOut` awaits a beat from here, so that what is taken from now on is given back should this process die at once; and
 *    one of the heartbeat's thread, which on a busy machine can start for longer than a lease: what is taken meanwhile would
 *    count as a dead consumer's.
 * 2. The heartbeat renews it. Where Redis held more or less than is known here twice in a row, that is told: once is the time
 *    that a reply takes.
 * 3. `renewIfLate` renews it from here where the heartbeat is late, as its own connection was cut or the machine is busy:
 *    nothing may be taken before that, or it would be given back at once, and after a few times be dead though it killed
 *    nobody.
 * 4. `stop`: it ends by itself.
 */
import { Heartbeat, type HeartbeatOrder } from "./heartbeat.ts";
import type { QueueRedis } from "./scripts.ts";

export interface LeaseOptions extends Omit<HeartbeatOrder, "tick"> {
  readonly redis: Pick<QueueRedis, "queueBeat">;
  /** How many messages the consumer knows that it holds. */
  readonly held: () => number;
  /** Called when Redis holds another number. */
  readonly differs: () => void;
}

export class Lease {
  #heartbeat: Heartbeat | undefined;
  /** When it was renewed last, as `performance.now()` has it. */
  #renewed_at = 0;
  #differed = false;
  #stopped = false;

  constructor(private readonly options: LeaseOptions) {}

  /** Resolves when the heartbeat beats; the first beat, from here, may fail. */
  async takeOut(trouble: (error: unknown) => void): Promise<void> {
    await this.#renew().catch(trouble);
    if (this.#stopped) return;
    const { redis, held, differs, ...order } = this.options;
    await new Promise<void>((beating) => {
      this.#heartbeat = new Heartbeat(order, (held) => {
        this.#compare(held);
        beating();
      });
    });
  }

  /** Rejects as the connection does. */
  async renewIfLate(): Promise<void> {
    if (performance.now() - this.#renewed_at > this.options.lease_ms / 2) await this.#renew();
  }

  stop(): void {
    this.#stopped = true;
    this.#heartbeat?.stop();
  }

  async #renew(): Promise<void> {
    const { redis, consumers, processing, consumer, lease_ms } = this.options;
    const now = performance.now();
    await redis.queueBeat(consumers, processing, consumer, lease_ms);
    this.#renewed_at = now;
  }

  #compare(held: number): void {
    this.#renewed_at = performance.now();
    const differs = held !== this.options.held();
    if (differs && this.#differed) this.options.differs();
    this.#differed = differs;
  }
}
