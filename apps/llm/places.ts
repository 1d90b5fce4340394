/**
 * A place at a replica for each job: at once where one is free, else as soon as one comes free, in the order in which
 * they began to wait, over all workers.
 *
 * While a job waits here, its worker takes no other: the rest stays in `job:llm_in`, in order, for whichever worker
 * gets a place first. A job that comes again has waited once: it goes before those that come first.
 */
import type { Redis } from "ioredis";
import type { Balancer, Call, DispatchRequest } from "#balancer";

/** Places that are asked for in one round trip, where they are free; more would hold up what the worker does beside. */
const MOST_AT_ONCE = 8;
/** Workers that were told of nothing should not ask together. */
const JITTER_MS = 5;

export interface PlacesOptions {
  readonly balancer: Balancer;
  /** A connection of its own. */
  readonly subscriber: Redis;
  /** How long a job waits while every replica's breaker is open, ms. */
  readonly all_open_ms: number;
}

interface Asking {
  /** That a place has come free for it, since it asked last. */
  told: boolean;
  wake(): void;
}

export type NoPlace = "none" | "gone" | "open";

export class Places {
  /** Jobs that ask for a place or wait for one. */
  readonly #asking = new Map<string, Asking>();
  #at_once = 1;

  constructor(private readonly options: PlacesOptions) {
    const { subscriber, balancer } = options;
    subscriber.on("message", (_channel, job_id) => {
      const asking = this.#asking.get(job_id);
      if (!asking) return; // another worker's
      asking.told = true;
      asking.wake();
    });
    subscriber.subscribe(balancer.freed).catch(() => {}); // the connection is closing
  }

  /**
   * How many jobs to take at once: more each time that there was a place at once, one as soon as there was none, so that no
   * job waits behind this worker's others while another worker could have it.
   */
  get atOnce(): number {
    return this.#at_once;
  }

  /**
   * The call that may be made now; or why there is none: no replica is left, the caller has gone, or every breaker
   * stayed open.
   * @throws the signal's reason when it fires.
   */
  async take(request: DispatchRequest, signal: AbortSignal): Promise<Call | NoPlace> {
    const began = performance.now();
    const until = began + this.options.all_open_ms;
    const asking: Asking = { told: false, wake() {} };
    this.#asking.set(request.job_id, asking);
    try {
      for (let waits = 0; ; waits++) {
        signal.throwIfAborted();
        asking.told = false;
        const waited_ms = request.waited_ms + performance.now() - began;
        const dispatched = await this.options.balancer.dispatch({ ...request, waited_ms });
        if (dispatched.kind === "go" && waits === 0)
          this.#at_once = Math.min(MOST_AT_ONCE, 2 * this.#at_once);
        if (dispatched.kind === "wait") this.#at_once = 1;
        if (dispatched.kind === "go") return dispatched.call;
        if (dispatched.kind !== "wait") return dispatched.kind;
        if (dispatched.reason === "open" && performance.now() > until) return "open";
        // The word that a place is free comes over another connection, and may overtake the answer that none is.
        if (!asking.told && !signal.aborted) await freed(asking, dispatched.again_ms, signal);
      }
    } finally {
      this.#asking.delete(request.job_id);
    }
  }
}

function freed(asking: Asking, within_ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", wake);
      resolve();
    };
    const timer = setTimeout(wake, within_ms + JITTER_MS * Math.random());
    signal.addEventListener("abort", wake);
    asking.wake = wake;
  });
}
