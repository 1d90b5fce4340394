/**
 * A place at a replica for each job: at once where one is free, else as soon as one comes free.
 *
 * While a job waits here, its worker takes no other: the rest stays in `job:llm_in`, in order, for whichever worker
 * gets a place first. A job that comes again has waited once: it goes before those that come first.
 */
import type { Redis } from "ioredis";
import type { Balancer, Call, DispatchRequest } from "#balancer";

/** Workers that wait are told together, and should not ask together. */
const JITTER_MS = 5;
/** By so much a job that comes again, as its replica failed or hangs, is ahead of those that come first. */
const YIELD_MS = 3;

export interface PlacesOptions {
  readonly balancer: Balancer;
  /** A connection of its own. */
  readonly subscriber: Redis;
  /** How long a job waits while every replica's breaker is open, ms. */
  readonly all_open_ms: number;
}

export type NoPlace = "none" | "gone" | "open";

export class Places {
  readonly #waiting = new Map<() => void, DispatchRequest["kind"]>();
  /** How often it was told that a place has come free. */
  #told = 0;

  constructor(private readonly options: PlacesOptions) {
    const { subscriber, balancer } = options;
    subscriber.on("message", (_channel, who) => {
      this.#told++;
      for (const [wake, kind] of this.#waiting) {
        if (who === "again" && kind === "first") setTimeout(wake, YIELD_MS);
        else wake();
      }
    });
    subscriber.subscribe(balancer.freed).catch(() => {}); // the connection is closing
  }

  /**
   * The call that may be made now; or why there is none: no replica is left, the caller has gone, or every breaker
   * stayed open.
   * @throws the signal's reason when it fires.
   */
  async take(request: DispatchRequest, signal: AbortSignal): Promise<Call | NoPlace> {
    const began = performance.now();
    const until = began + this.options.all_open_ms;
    for (;;) {
      signal.throwIfAborted();
      const told = this.#told;
      const waited_ms = request.waited_ms + performance.now() - began;
      const dispatched = await this.options.balancer.dispatch({ ...request, waited_ms });
      if (dispatched.kind === "go") return dispatched.call;
      if (dispatched.kind !== "wait") return dispatched.kind;
      if (dispatched.reason === "open" && performance.now() > until) return "open";
      // The word that a place is free comes over another connection, and may overtake the answer that none is.
      if (told === this.#told && !signal.aborted)
        await this.#freed(request.kind, dispatched.again_ms, signal);
    }
  }

  #freed(kind: DispatchRequest["kind"], within_ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        clearTimeout(timer);
        signal.removeEventListener("abort", wake);
        this.#waiting.delete(wake);
        resolve();
      };
      const timer = setTimeout(wake, within_ms + JITTER_MS * Math.random());
      signal.addEventListener("abort", wake);
      this.#waiting.set(wake, kind);
    });
  }
}
