/** The main thread's side of the heartbeat: ticks while it lives, and hears how much Redis holds for it. */

export interface HeartbeatOrder {
  readonly url: string;
  readonly consumers: string;
  readonly processing: string;
  readonly consumer: string;
  /** How long a beat keeps the lease, ms. */
  readonly lease_ms: number;
  /** How long the main thread may not tick before beats stop, ms: longer than any batch should take. */
  readonly stall_ms: number;
  readonly tick: SharedArrayBuffer;
}

const TICK_MS = 50;

export class Heartbeat {
  readonly #worker: Worker;
  readonly #ticking: Timer;

  /** @param beaten gets, after each beat, how many messages Redis holds for the consumer. */
  constructor(order: Omit<HeartbeatOrder, "tick">, beaten: (held: number) => void) {
    const tick = new SharedArrayBuffer(4);
    const count = new Int32Array(tick);
    this.#ticking = setInterval(() => Atomics.add(count, 0, 1), TICK_MS);
    this.#worker = new Worker(new URL("./heartbeat-worker.ts", import.meta.url));
    this.#worker.onmessage = ({ data }: MessageEvent<number>) => beaten(data);
    this.#worker.postMessage({ ...order, tick } satisfies HeartbeatOrder);
  }

  stop(): void {
    clearInterval(this.#ticking);
    this.#worker.terminate();
  }
}
