/**
 * Has jobs handled: each waits here for its turn, up to `batch` of them share a call of the handler, and up to
 * `concurrency` calls run at once.
 *
 * A call's life:
 * 1. It begins with the jobs that have waited longest.
 * 2. Its signal fires when the last deadline among its jobs has passed, when none of them is wanted or held any more, and
 *    when this worker stops.
 * 3. What the handler says of each job goes to `done`. Only when that is sent is its place free: a handler that computes
 *    would hold the write back for as long as it does.
 */
import type { Envelope, StageTiming } from "#contracts";
import type { HandlerContext, Outcome } from "./consumer-options.ts";
import type { Held, Holdings } from "./holdings.ts";
import { Expired, LeaseLost, toError } from "./outcome.ts";
import { waitedSoFar } from "./received.ts";

/** What is held and fits its contract. */
export type HeldJob<T> = Held<T> & { readonly job: T & Envelope };

export interface HandlingOptions<T, Out> {
  readonly handle: (jobs: T[], context: HandlerContext) => Promise<Outcome<Out>[]>;
  readonly batch: number;
  readonly concurrency: number;
  readonly holdings: Holdings<T>;
  readonly done: (held: HeldJob<T>, outcome: Outcome<Out>, timing: StageTiming) => void;
  /** Resolves when what `done` was given is sent; nothing where it already is. */
  readonly sent: () => Promise<void> | undefined;
}

/** The longest that a timer takes, ms. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export class Handling<T, Out> {
  #waiting: HeldJob<T>[] = [];
  readonly #calls = new Set<Call<T>>();
  /** Calls that have not said yet that they have begun. */
  #beginning = 0;
  /** One timer for all calls: a job's own would nearly always be cleared before it fires. */
  #timer: Timer | undefined;
  #fires_at = Number.POSITIVE_INFINITY;
  #closed = false;

  constructor(private readonly options: HandlingOptions<T, Out>) {}

  /** All calls have begun with their jobs. */
  get begun(): boolean {
    return this.#beginning === 0;
  }

  /** The job waits for its turn; `work` begins with it where there is room. */
  add(held: HeldJob<T>): void {
    this.#waiting.push(held);
  }

  work(): void {
    const { batch, concurrency } = this.options;
    while (this.#waiting.length > 0 && this.#calls.size < concurrency) {
      this.#call(this.#waiting.splice(0, batch));
    }
  }

  /** Takes a job back that still waits for its turn; nothing where it does not. */
  drop(held: Held<T>): HeldJob<T> | undefined {
    const waiting = this.#waiting.find((one) => one === held);
    if (waiting) this.#waiting = this.#waiting.filter((one) => one !== held);
    return waiting;
  }

  /** It is no longer held: its call ends when that goes for all of the call's jobs. */
  lose(held: Held<T>): void {
    this.drop(held);
    this.#abort(held, () => true, new LeaseLost());
  }

  /** Ends the job's call where none of the call's jobs is `wanted`. */
  cancel(held: Held<T>, wanted: (job: Envelope) => boolean, reason: Error): void {
    this.#abort(held, wanted, reason);
  }

  /** What handlers say from now on comes to nothing; they are told to end. */
  close(reason: Error): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    for (const call of this.#calls) call.abort(reason);
  }

  #abort(held: Held<T>, wanted: (job: Envelope) => boolean, reason: Error): void {
    const { holdings } = this.options;
    for (const call of this.#calls) {
      if (!call.jobs.some((one) => one === held)) continue;
      if (!call.jobs.some((one) => holdings.has(one) && wanted(one.job))) call.abort(reason);
    }
  }

  async #call(jobs: HeldJob<T>[]): Promise<void> {
    const { holdings, done, sent } = this.options;
    this.#beginning++;
    const call = new Call(jobs, () => {
      this.#beginning--;
      holdings.wake();
    });
    this.#calls.add(call);
    this.#fireAt(call.deadline);
    const waited = jobs.map((held) => waitedSoFar(held.job));
    const started = performance.now();
    const outcomes = await this.#outcomes(call);
    call.begun();
    const worked = performance.now() - started;
    if (this.#closed) return;
    for (const [i, held] of jobs.entries()) {
      if (!holdings.has(held)) continue; // lost meanwhile
      const outcome = outcomes[i] ?? new Error("the handler gave no outcome for this job");
      done(held, outcome, { waited: waited[i]!, worked });
    }
    const sending = sent();
    if (sending) await sending;
    this.#calls.delete(call);
    if (!this.#closed) this.work();
  }

  async #outcomes(call: Call<T>): Promise<Outcome<Out>[]> {
    const jobs = call.jobs.map((held) => held.job);
    try {
      return await this.options.handle(jobs, call);
    } catch (thrown) {
      const error = toError(thrown);
      return jobs.map(() => error);
    }
  }

  #fireAt(deadline: number): void {
    if (deadline >= this.#fires_at) return;
    clearTimeout(this.#timer);
    this.#fires_at = deadline;
    this.#timer = setTimeout(this.#expire, Math.min(Math.max(deadline - Date.now(), 0), LONGEST_TIMER_MS));
    this.#timer.unref();
  }

  readonly #expire = (): void => {
    this.#fires_at = Number.POSITIVE_INFINITY;
    const now = Date.now();
    for (const call of this.#calls) {
      if (call.deadline <= now) call.abort(new Expired());
      else this.#fireAt(call.deadline);
    }
  };
}

class Call<T> implements HandlerContext {
  /** The last one among the jobs, epoch ms. */
  readonly deadline: number;
  #begun = false;
  /** Made when the handler asks for it: it costs more than all else here. */
  #controller: AbortController | undefined;
  #reason: Error | undefined;

  constructor(
    readonly jobs: readonly HeldJob<T>[],
    private readonly onBegun: () => void,
  ) {
    this.deadline = Math.max(...jobs.map((held) => held.job.deadline));
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#reason) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  readonly begun = (): void => {
    if (this.#begun) return;
    this.#begun = true;
    this.onBegun();
  };

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }
}
