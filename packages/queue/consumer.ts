/**
 * The one consumer that all stages share: takes messages from a queue, checks them against the queue's
 * contract, has them handled, and settles what became of each.
 *
 * Its life:
 * 1. `start`: takes as many messages as it has room for; when there are none, waits at the server.
 * 2. Each message is checked. One that does not fit becomes a dead letter, one past its deadline is completed
 *    as expired; the others wait here for the handler, which gets up to `batch` of them at once.
 * 3. What the handler says of a job (a result, `Fail`, `Expired`, any other error) is written by the settler;
 *    only then its room is free again.
 * 4. `stop`: takes nothing new, lets handlers finish within a bound, then aborts them and puts back the rest
 *    in its old order.
 */

import type { Static, TSchema } from "@sinclair/typebox";
import type { Redis } from "ioredis";
import type {
  Completions,
  DeadLetter,
  Envelope,
  FailedCompletion,
  Queue,
  RedisNames,
  Stage,
  StageTiming,
  Timings,
} from "#contracts";
import { BLOCK_SECONDS } from "./connection.ts";
import { ContractError, Expired, Fail, toError } from "./outcome.ts";
import { encode } from "./push.ts";
import type { QueueRedis } from "./scripts.ts";
import { type Caller, Settler } from "./settler.ts";

export interface HandlerContext {
  /** Fires when the last deadline among the jobs has passed, and when the consumer stops waiting for them. */
  readonly signal: AbortSignal;
}

/** What a batch handler says of one job: its result, or the error that it met. */
export type Outcome<T> = T | Error;

/** What happened, for logs and metrics. */
export type ConsumerEvent =
  | { kind: "done"; job_id: string; outcome: "ok" | "error" | "expired"; timing: StageTiming; error?: Error }
  | { kind: "dead"; job_id?: string; reason: string; letters: number }
  | { kind: "trouble"; error: Error };

export interface ConsumerOptions<In extends TSchema, Out extends TSchema> {
  /** Name of the stage: in timings, completions and dead letters. */
  readonly stage: Stage;
  readonly from: Queue<In>;
  readonly to: Queue<Out> | Completions<Out>;
  /** One outcome a job, in the jobs' order. If it rejects, that is the outcome of all of them. */
  readonly handle: (jobs: Static<In>[], context: HandlerContext) => Promise<Outcome<Static<Out>>[]>;
  /** Most jobs in one call of the handler. It never waits for more to come. */
  readonly batch: number;
  /** Calls of the handler at once. */
  readonly concurrency: number;
  /** Most messages held here, those that wait for the handler included; at most 64 keeps a settle cheap. */
  readonly prefetch: number;
  /** For commands and scripts; waits for Redis as long as it takes. */
  readonly redis: QueueRedis;
  /** For the command that waits at the server. */
  readonly blocking: Redis;
  readonly names: RedisNames;
  readonly observe: (event: ConsumerEvent) => void;
}

interface Held<T> {
  readonly message: string;
  readonly job: T & Envelope;
}

const RETRY_TAKE_AFTER_MS = 200;

export class Consumer<In extends TSchema, Out extends TSchema> {
  /** Random, and never used again. */
  readonly id = crypto.randomUUID();
  readonly #processing: string;
  readonly #settler: Settler;
  readonly #running = new Set<AbortController>();
  #waiting: Held<Static<In>>[] = [];
  #held = 0;
  #stopping = false;
  /** What handlers say from now on is not written: their jobs are put back. */
  #left = false;
  #stopped: Promise<void> | undefined;
  #room = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();
  #blockingClient: number | undefined;

  constructor(private readonly options: ConsumerOptions<In, Out>) {
    const { names, from, to } = options;
    this.#processing = names.processing(from.name, this.id);
    this.#settler = new Settler(
      options.redis,
      names,
      {
        processing: this.#processing,
        next: to.kind === "queue" ? names.queue(to.name) : undefined,
        dead: names.dead(from.name),
      },
      (error) => options.observe({ kind: "trouble", error }),
    );
  }

  start(): void {
    const { blocking } = this.options;
    const identify = () => blocking.client("ID").then((id) => (this.#blockingClient = id), this.#trouble);
    blocking.on("ready", identify);
    if (blocking.status === "ready") identify();
    this.#loop = this.#run();
  }

  /** Ends within `drain_ms` (plus a moment to put back), whether Redis answers or not. */
  stop(drain_ms: number): Promise<void> {
    this.#stopped ??= this.#stop(drain_ms);
    return this.#stopped;
  }

  async #stop(drain_ms: number): Promise<void> {
    this.#stopping = true;
    const until = performance.now() + drain_ms;
    const remaining = () => Math.max(0, until - performance.now());
    this.#unblock();
    await within(this.#loop, remaining());
    while (this.#held > 0 && remaining() > 0) {
      await within(this.#room.promise, remaining());
    }
    this.#left = true;
    for (const controller of this.#running) controller.abort(new Error("the worker is stopping"));
    const putBack = this.options.redis.queuePutBack(
      this.#processing,
      this.options.names.queue(this.options.from.name),
    );
    await within(putBack, 500);
  }

  async #run(): Promise<void> {
    while (!this.#stopping) {
      const room = this.options.prefetch - this.#held;
      if (room <= 0) {
        await this.#room.promise;
        continue;
      }
      try {
        for (const message of await this.#take(room)) this.#receive(message);
      } catch (error) {
        if (this.#stopping) return;
        this.options.observe({ kind: "trouble", error: toError(error) });
        await Bun.sleep(RETRY_TAKE_AFTER_MS);
      }
      this.#work();
    }
  }

  async #take(room: number): Promise<string[]> {
    const { redis, blocking, names, from } = this.options;
    const queue = names.queue(from.name);
    const taken = await redis.queueTake(queue, this.#processing, room);
    if (taken.length > 0 || this.#stopping) return taken;
    const message = await blocking.blmove(queue, this.#processing, "RIGHT", "LEFT", BLOCK_SECONDS);
    return message === null ? [] : [message];
  }

  /** Ends a waiting BLMOVE at the server: cutting its connection could lose a reply that is under way. */
  #unblock(): void {
    const { redis } = this.options;
    if (this.#blockingClient === undefined || redis.status !== "ready") return;
    redis.client("UNBLOCK", this.#blockingClient).catch(this.#trouble);
  }

  #receive(message: string): void {
    this.#held++;
    const job = this.#parse(message);
    if (job instanceof Error) {
      const told = `a message of this job ${job.message}`;
      this.#bury(message, job.message, callerOf(message), "invalid_message", told).catch(this.#trouble);
      return;
    }
    const held = { message, job };
    if (Date.now() >= job.deadline)
      this.#finish(held, new Expired(), { waited: waitedSoFar(job), worked: 0 }).catch(this.#trouble);
    else this.#waiting.push(held);
  }

  #parse(message: string): (Static<In> & Envelope) | ContractError {
    const { from } = this.options;
    try {
      const job: unknown = JSON.parse(message);
      if (from.message.check(job)) return job as Static<In> & Envelope;
      return new ContractError(`does not fit ${from.name}: ${from.message.explain(job)}`);
    } catch (cause) {
      return new ContractError(`is not JSON: ${toError(cause).message}`, { cause });
    }
  }

  #work(): void {
    const { batch, concurrency } = this.options;
    while (this.#waiting.length > 0 && this.#running.size < concurrency) {
      this.#handle(this.#waiting.splice(0, batch));
    }
  }

  async #handle(batch: Held<Static<In>>[]): Promise<void> {
    const controller = new AbortController();
    this.#running.add(controller);
    const last_deadline = Math.max(...batch.map((held) => held.job.deadline));
    const timer = setTimeout(() => controller.abort(new Expired()), last_deadline - Date.now());
    const waited = batch.map((held) => waitedSoFar(held.job));
    const started = performance.now();
    const outcomes = await this.#outcomes(batch, controller.signal);
    const worked = performance.now() - started;
    clearTimeout(timer);
    if (this.#left) return;
    await Promise.all(
      batch.map((held, i) => {
        const outcome = outcomes[i] ?? new Error("the handler gave no outcome for this job");
        return this.#finish(held, outcome, { waited: waited[i]!, worked }).catch(this.#trouble);
      }),
    );
    this.#running.delete(controller);
    // Only when Redis has it: a handler that computes would hold the write back for as long as it does.
    this.#work();
  }

  async #outcomes(batch: Held<Static<In>>[], signal: AbortSignal): Promise<Outcome<Static<Out>>[]> {
    try {
      return await this.options.handle(
        batch.map((held) => held.job),
        { signal },
      );
    } catch (thrown) {
      const error = toError(thrown);
      return batch.map(() => error);
    }
  }

  async #finish(held: Held<Static<In>>, outcome: Outcome<Static<Out>>, timing: StageTiming): Promise<void> {
    const { stage, to, observe } = this.options;
    const { message, job } = held;
    const timings = { ...job.timings, [stage]: timing };
    const done = { kind: "done", job_id: job.job_id, timing } as const;
    if (outcome instanceof Fail || outcome instanceof Expired) {
      const status = outcome instanceof Expired ? "expired" : "error";
      const code = outcome instanceof Expired ? "expired" : outcome.code;
      const completion = this.#failed(status, job.job_id, code, outcome.message, timings);
      await this.#settler.complete(message, job, completion);
      this.#freed();
      return observe({ ...done, outcome: status, error: outcome });
    }
    const next = outcome instanceof Error ? outcome : this.#encode({ ...(outcome as object), timings });
    if (next instanceof Error) {
      observe({ ...done, outcome: "error", error: next });
      return this.#bury(
        message,
        next.message,
        job,
        "internal",
        `the ${stage} failed: ${next.message}`,
        timings,
      );
    }
    await (to.kind === "queue"
      ? this.#settler.settle(message, next)
      : this.#settler.complete(message, job, next));
    this.#freed();
    observe({ ...done, outcome: "ok" });
  }

  #encode(next: Static<Out>): string | Error {
    try {
      return encode(this.options.to, next);
    } catch (error) {
      return toError(error);
    }
  }

  async #bury(
    message: string,
    reason: string,
    caller: Caller | undefined,
    code: string,
    told: string,
    timings: Timings = {},
  ): Promise<void> {
    const { stage, observe } = this.options;
    const letter = { message, reason, stage, at: Date.now(), deliveries: 0 } satisfies DeadLetter;
    const completion = caller && this.#failed("error", caller.job_id, code, told, timings);
    const letters = await this.#settler.bury(message, JSON.stringify(letter), caller, completion);
    this.#freed();
    observe({ kind: "dead", job_id: caller?.job_id, reason, letters });
  }

  #failed(
    status: FailedCompletion["status"],
    job_id: string,
    code: string,
    message: string,
    timings: Timings,
  ) {
    const completion: FailedCompletion = {
      job_id,
      status,
      stage: this.options.stage,
      code,
      message,
      timings,
    };
    return JSON.stringify(completion);
  }

  #freed(): void {
    this.#held--;
    this.#room.resolve();
    this.#room = Promise.withResolvers();
  }

  readonly #trouble = (error: unknown): void =>
    this.options.observe({ kind: "trouble", error: toError(error) });
}

/** Since the stage before was done with it, in ms: what its stages have not accounted for. */
function waitedSoFar({ submitted_at, timings }: Envelope): number {
  const accounted = Object.values(timings).reduce((sum, { waited, worked }) => sum + waited + worked, 0);
  return Math.max(0, Date.now() - submitted_at - accounted);
}

/** Whom to tell of a message that does not fit, as far as it can be read. */
function callerOf(message: string): Caller | undefined {
  try {
    const { job_id, reply_to } = JSON.parse(message);
    if (typeof job_id !== "string" || job_id === "") return undefined;
    return { job_id, reply_to: typeof reply_to === "string" ? reply_to : undefined };
  } catch {
    return undefined;
  }
}

/** Resolves when `promise` has settled or `ms` have passed, whichever is first. */
function within(promise: Promise<unknown>, ms: number): Promise<unknown> {
  return Promise.race([promise.catch(() => {}), Bun.sleep(ms)]);
}
