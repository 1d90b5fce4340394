/**
 * Finds calls that wait at a replica which hangs, and tells of tokens, so that one which does not is not taken for one.
 *
 * A watched call's life here:
 * 1. It begins. So long as nothing may be called late, nobody asks.
 * 2. No token yet: the balancer, which hears of every worker's calls, says when to ask again, or that its replica hangs.
 * 3. A token, or the end: it is watched no more. Or it hangs: it is given up, once, and its replica's return watched for.
 */
import type { Balancer, BreakerState, Call } from "#balancer";

/** No replica is taken to hang sooner; as `silence.lua` has it. */
const FIRST_LOOK_MS = 500;
/** How often others are told of a replica's tokens. */
const TELL_MS = 250;

export interface SilenceOptions {
  readonly balancer: Balancer;
  /** Whether hangs are looked for. */
  readonly on: boolean;
  readonly hung: (url: string, breaker: [before: BreakerState, after: BreakerState]) => void;
}

export class SilenceWatch {
  /** When the balancer was last told of each replica, as `performance.now()` has it. */
  readonly #told = new Map<string, number>();

  constructor(private readonly options: SilenceOptions) {}

  /** @param give_up called once at most, and never after what this returns, which ends the watch. */
  watch(call: Call, prompt_chars: number, give_up: (silent_ms: number) => void): () => void {
    if (!this.options.on) return () => {};
    const { balancer, hung } = this.options;
    const began = performance.now();
    let over = false;
    let timer = setTimeout(look, FIRST_LOOK_MS);
    async function look(): Promise<void> {
      // While Redis is away there is nobody who knows.
      const silence = await balancer
        .silent(call, performance.now() - began, prompt_chars)
        .catch(() => ({ kind: "look", again_ms: FIRST_LOOK_MS }) as const);
      if (over || silence.kind === "unknown") return;
      if (silence.kind === "look") {
        timer = setTimeout(look, silence.again_ms);
        return;
      }
      over = true;
      hung(call.url, silence.breaker);
      give_up(performance.now() - began);
    }
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }

  /** A call of this replica is over: that tells enough. */
  told(url: string): void {
    this.#told.set(url, performance.now());
  }

  /** A token came from it. */
  token(url: string): void {
    const now = performance.now();
    if (!this.options.on || now - (this.#told.get(url) ?? 0) < TELL_MS) return;
    this.#told.set(url, now);
    this.options.balancer.alive(url, "token").catch(() => {}); // a later one tells
  }
}
