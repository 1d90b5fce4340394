/**
 * Hedging (Dean and Barroso, The Tail at Scale, CACM 2013): a call whose first token is later than nearly all others' is
 * made again at another replica, and the one that begins to answer first is kept; the other is aborted.
 *
 * Never after the first token, and for a small share of the calls only: a slow hour must not double the load. The share
 * goes to the latest of them: the less of it is left, the later a call must be, and one that is not late enough, or finds
 * no place elsewhere, is looked at again until its token comes.
 */
import type { Call } from "#balancer";

/** First tokens that the percentile is taken over: enough for a P95, few enough to follow a changing load. */
const REMEMBERED = 200;
/** Before so many are known, nothing is late. */
const LEAST_KNOWN = 20;
const LATE = 0.95;
/** Hedges that may be saved up in quiet times. */
const BURST = 5;
/** With only one hedge left, a call must be so many times later than with all of them. */
const LAST_FOR = 4;
/** A late call is looked at again after this part of what counts as late; at most so often. */
const LOOK_AGAIN = 0.25;
const LEAST_LOOK_MS = 10;

export interface Attempt {
  readonly call: Call;
  readonly signal: AbortSignal;
  /** To be called at the first token. */
  readonly answering: () => void;
}

export interface HedgingOptions {
  /** Most hedges, as a share of calls: 0.03. 0 turns hedging off. */
  readonly budget: number;
  readonly observe: (event: "won" | "lost") => void;
}

export class Hedging {
  readonly #first_token_ms: number[] = [];
  #at = 0;
  #saved = 0;

  constructor(private readonly options: HedgingOptions) {}

  /**
   * What `attempt` gives for `call`, or for a second call that `another` gives where the first is late. An attempt
   * resolves with `undefined` if its replica failed; so does this if all did.
   */
  async run<T>(
    call: Call,
    signal: AbortSignal,
    attempt: (attempt: Attempt) => Promise<T | undefined>,
    another: () => Promise<Call | undefined>,
  ): Promise<T | undefined> {
    const { budget, observe } = this.options;
    if (budget > 0) this.#saved = Math.min(BURST, this.#saved + budget);
    const started = performance.now();
    const controllers: AbortController[] = [];
    let winner: AbortController | undefined;
    const make = (call: Call): Promise<T | undefined> => {
      const controller = new AbortController();
      controllers.push(controller);
      const answering = () => {
        if (winner) return;
        winner = controller;
        this.#remember(performance.now() - started);
        for (const other of controllers) if (other !== controller) other.abort(new Hedged());
      };
      return attempt({ call, signal: AbortSignal.any([signal, controller.signal]), answering }).catch(
        (error) => {
          if (error instanceof Hedged) return undefined;
          throw error;
        },
      );
    };

    const first = make(call);
    const hedge = await this.#whenLate(started, first, () => winner !== undefined, another);
    if (!hedge) return first;
    const second = make(hedge);
    if (winner) controllers[1]!.abort(new Hedged()); // it began to answer while we asked
    const [one, two] = await Promise.all([first, second]);
    observe(winner === controllers[1] ? "won" : "lost");
    return one ?? two;
  }

  /** A second call, once the first is late enough for what is left to spend and has a place to turn to; if ever. */
  async #whenLate(
    started: number,
    first: Promise<unknown>,
    answering: () => boolean,
    another: () => Promise<Call | undefined>,
  ): Promise<Call | undefined> {
    let over = false;
    const end = first.then(
      () => (over = true),
      () => (over = true),
    );
    const late_ms = this.#late();
    if (late_ms === undefined) return undefined;
    let look_ms = late_ms;
    while (!over && !answering()) {
      await Promise.race([end, Bun.sleep(look_ms)]);
      if (over || answering()) return undefined;
      if (performance.now() - started >= late_ms * this.#latenessDue()) {
        this.#saved--;
        const hedge = await another();
        if (hedge) return hedge;
        this.#saved++;
      }
      look_ms = Math.max(LEAST_LOOK_MS, LOOK_AGAIN * late_ms);
    }
  }

  /** How many times what counts as late a call must be to be worth a hedge: 1 while all are saved, more and more below. */
  #latenessDue(): number {
    if (this.#saved < 1) return Number.POSITIVE_INFINITY;
    return LAST_FOR ** ((BURST - this.#saved) / (BURST - 1));
  }

  /** P95 of the first tokens of late, ms; `undefined` where hedging is off or too little is known. */
  #late(): number | undefined {
    if (this.options.budget === 0 || this.#first_token_ms.length < LEAST_KNOWN) return undefined;
    const sorted = this.#first_token_ms.toSorted((a, b) => a - b);
    return sorted[Math.floor(LATE * sorted.length)];
  }

  #remember(ms: number): void {
    this.#first_token_ms[this.#at++ % REMEMBERED] = ms;
  }
}

/** The other of two calls began to answer first. */
export class Hedged extends Error {
  override name = "Hedged";
}
