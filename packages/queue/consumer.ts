/**
 * The one consumer that all stages share: takes messages from a queue, checks them against the queue's
 * contract, has them handled, and settles what became of each.
 *
 * Its life:
 * 1. `start`: takes out a lease, which its heartbeat renews from a thread of its own; from now on the other consumers
 *    give back what it holds should it die or freeze, and it does so for them.
 * 2. It takes as many messages as it has room for; when there are none, it waits at the server. A message of the retry
 *    lane is taken and handled alone.
 * 3. Each message is checked. One that does not fit becomes a dead letter, one past its deadline is completed
 *    as expired; the others wait here for the handler, which gets up to `batch` of them at once.
 * 4. What the handler says of a job (a result, `Retry`, `Fail`, `Expired`, any other error) is written by the settler;
 *    only then its room is free again.
 * 5. After a reconnect, and when Redis holds more or less for it than it knows of, it reconciles: it adopts what a lost
 *    reply kept from it, and aborts what was given to others meanwhile.
 * 6. `stop`: takes nothing new, lets handlers finish within a bound, then aborts them and puts back the rest
 *    in its old order, without charging a delivery.
 */

import { setImmediate } from "node:timers/promises";
import type { Static, TSchema } from "@sinclair/typebox";
import { COMPLETION_TTL_SECONDS, type Envelope, type StageTiming } from "#contracts";
import type { ConsumerOptions, Outcome } from "./consumer-options.ts";
import { Handling, type HeldJob } from "./handling.ts";
import { type Held, Holdings } from "./holdings.ts";
import { Intake } from "./intake.ts";
import { Lease } from "./lease.ts";
import { Cancelled, ContractError, Expired, toError } from "./outcome.ts";
import { OutcomeWriter } from "./outcome-writer.ts";
import { Reaper } from "./reaper.ts";
import { readJob, waitedSoFar } from "./received.ts";
import { Settler } from "./settler.ts";

const RETRY_TAKE_AFTER_MS = 200;
const NOTHING = { lane: "queue", messages: [] } as const;

export class Consumer<In extends TSchema, Out extends TSchema> {
  /** Random, and never used again. */
  readonly id = crypto.randomUUID();
  readonly #processing: string;
  readonly #settler: Settler;
  readonly #outcomes: OutcomeWriter<In, Out>;
  readonly #intake: Intake;
  readonly #holdings = new Holdings<Static<In>>();
  readonly #handling: Handling<Static<In>, Static<Out>>;
  /** What is known here and what Redis holds may differ, as after a reconnect. */
  #suspect = true;
  readonly #lease: Lease;
  #reaper: Reaper | undefined;
  #stopping = false;
  #stopped: Promise<void> | undefined;
  #loop: Promise<void> = Promise.resolve();

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
        delayed: names.delayed(from.name),
        deliveries: names.deliveries(from.name),
        queue: names.queue(from.name),
      },
      this.#trouble,
      from.completion_ttl_s,
    );
    this.#outcomes = new OutcomeWriter(this.#settler, options);
    const { redis, blocking, handle, batch, concurrency, cancellations, lease } = options;
    this.#lease = new Lease({
      redis,
      url: lease.url,
      consumers: names.consumers(from.name),
      processing: this.#processing,
      consumer: this.id,
      lease_ms: lease.lease_ms,
      stall_ms: lease.stall_ms,
      held: () => this.#holdings.size,
      differs: () => {
        this.#suspect = true;
        this.#holdings.wake();
        this.#intake.unblock();
      },
    });
    this.#handling = new Handling({
      handle,
      batch,
      concurrency,
      holdings: this.#holdings,
      done: (held, outcome, timing) =>
        this.#finish(held, cancellations.has(held.job.job_id) ? new Cancelled() : outcome, timing),
      sent: () => this.#settler.sent,
    });
    this.#intake = new Intake({
      redis,
      blocking,
      names,
      queue: from.name,
      processing: this.#processing,
      mayWait: () => !this.#stopping && !this.#suspect,
      trouble: this.#trouble,
    });
  }

  start(): void {
    const { redis, blocking, names, from, stage, lease, cancellations, observe } = this.options;
    for (const connection of [redis, blocking]) connection.on("ready", () => (this.#suspect = true));
    this.#reaper = new Reaper({
      redis,
      names,
      queue: from.name,
      stage,
      lease_ms: lease.lease_ms,
      max_deliveries: lease.max_deliveries,
      completion_ttl_s: from.completion_ttl_s ?? COMPLETION_TTL_SECONDS,
      reaped: (returned, buried) => {
        observe({ kind: "reaped", returned, buried });
        this.#intake.unblock(); // the retry lane is looked into by takes alone
      },
      trouble: this.#trouble,
    });
    cancellations.onCancel((job_id) => this.#cancel(job_id));
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
    this.#intake.unblock();
    this.#holdings.wake();
    await within(this.#loop, remaining());
    await within(
      this.#holdings.until(() => this.#holdings.size === 0),
      remaining(),
    );
    this.#handling.close(new Error("the worker is stopping"));
    const { redis, names, from } = this.options;
    const putBack = redis.queuePutBack(
      this.#processing,
      names.queue(from.name),
      names.consumers(from.name),
      this.id,
    );
    await within(putBack, 500);
    this.#lease.stop();
    this.#reaper?.stop();
  }

  async #run(): Promise<void> {
    await Promise.race([this.#lease.takeOut(this.#trouble), this.#holdings.until(() => this.#stopping)]);
    while (!this.#stopping) {
      try {
        if (this.#suspect) await this.#reconcile();
        await this.#lease.renewIfLate();
        const { prefetch, paced } = this.options;
        const room = Math.min(prefetch - this.#holdings.size, paced?.() ?? prefetch);
        const { lane, messages } = room > 0 ? await this.#intake.take(room, this.#holdings.size) : NOTHING;
        // It came over a reconnect: what was cancelled meanwhile is not known here yet.
        if (this.#suspect) await this.options.cancellations.refresh();
        for (const message of messages) this.#receive(message);
        this.#handling.work();
        // What handlers finish at once is written before more is taken: fewer and fuller round trips under load.
        if (messages.length > 0) await setImmediate();
        if (!this.#intake.waitsNext) await this.#settler.underWay;
        await this.#holdings.until(
          () =>
            this.#stopping ||
            this.#suspect ||
            (this.#holdings.size < (lane === "queue" ? prefetch : 1) && (!paced || this.#handling.begun)),
        );
      } catch (error) {
        if (this.#stopping) return;
        this.#trouble(error);
        await Bun.sleep(RETRY_TAKE_AFTER_MS);
      }
    }
  }

  /** Only from the loop: no take may be under way. */
  async #reconcile(): Promise<void> {
    this.#suspect = false;
    const { redis, cancellations } = this.options;
    await cancellations.refresh();
    const messages = await redis.lrange(this.#processing, 0, -1);
    const { unknown, lost } = this.#holdings.difference(messages);
    for (const held of lost) this.#lose(held);
    for (const message of unknown.reverse()) this.#receive(message);
    this.#handling.work();
    if (unknown.length + lost.length > 0) {
      this.options.observe({ kind: "reconciled", adopted: unknown.length, lost: lost.length });
    }
  }

  /** It was given to others: whatever is done with it here would come to nothing. */
  #lose(held: Held<Static<In>>): void {
    this.#holdings.release(held);
    this.#handling.lose(held);
  }

  #receive(message: string): void {
    const job = readJob(this.options.from, message);
    if (job instanceof Error || message.includes("\uFFFD")) {
      const held: Held<Static<In>> = { message, settling: true };
      this.#holdings.add(held);
      this.#settled(held, this.#refuse(message, job));
      return;
    }
    this.#accept(message, job);
  }

  #accept(message: string, job: Static<In> & Envelope): void {
    const held = { message, job, settling: false };
    this.#holdings.add(held);
    const unwanted = this.#unwanted(job);
    if (unwanted) this.#finish(held, unwanted, { waited: waitedSoFar(job), worked: 0 });
    else this.#handling.add(held);
  }

  /** Bytes that are no UTF-8 were read as U+FFFD; Redis knows the message by its bytes alone. */
  async #refuse(message: string, job: (Static<In> & Envelope) | ContractError): Promise<void> {
    const { redis } = this.options;
    const bytes = Buffer.from(message);
    const held = message.includes("\uFFFD") ? await redis.lrangeBuffer(this.#processing, 0, -1) : [];
    const raw = held.find((one) => one.toString() === message && !one.equals(bytes));
    if (raw) return this.#outcomes.refuse(message, new ContractError("is not UTF-8"), raw);
    if (job instanceof Error) return this.#outcomes.refuse(message, job);
    this.#accept(message, job); // the character itself, as somebody wrote it
    this.#handling.work();
  }

  /** Why nobody wants a job done any more. */
  #unwanted(job: Envelope): Expired | Cancelled | undefined {
    if (this.options.cancellations.has(job.job_id)) return new Cancelled();
    return Date.now() < job.deadline ? undefined : new Expired();
  }

  /** Waiting for the handler, it is dropped; a call of the handler is aborted when all of its jobs are cancelled. */
  #cancel(job_id: string): void {
    for (const held of this.#holdings.ofJob(job_id)) {
      const waiting = this.#handling.drop(held);
      if (waiting) this.#finish(waiting, new Cancelled(), { waited: waitedSoFar(waiting.job), worked: 0 });
      else this.#handling.cancel(held, (job) => !this.#unwanted(job), new Cancelled());
    }
  }

  #finish(held: HeldJob<Static<In>>, outcome: Outcome<Static<Out>>, timing: StageTiming): Promise<void> {
    held.settling = true;
    return this.#settled(held, this.#outcomes.write(held.message, held.job, outcome, timing));
  }

  /** What is written is no longer held; what Redis could not be told before it went for good is put back or reaped. */
  async #settled(held: Held<Static<In>>, written: Promise<void>): Promise<void> {
    await written.catch(this.#trouble);
    this.#holdings.release(held);
  }

  readonly #trouble = (error: unknown): void =>
    this.options.observe({ kind: "trouble", error: toError(error) });
}

/** Resolves when `promise` has settled or `ms` have passed, whichever is first. */
function within(promise: Promise<unknown>, ms: number): Promise<unknown> {
  return Promise.race([promise.catch(() => {}), Bun.sleep(ms)]);
}
