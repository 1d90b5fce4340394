/**
 * Waits for completions on behalf of a gateway.
 *
 * The last stage stores the completion and publishes its job's id on the gateway's channel. A notice can be
 * lost with a connection, so whoever still waits is looked up once a second, and at once after a reconnect.
 */

import type { Redis } from "ioredis";
import { type Completion, completions, type RedisNames } from "#contracts";
import type { AcceptedJob } from "./admission.ts";
import { Expired, toError } from "./outcome.ts";

const LOOK_EVERY_MS = 1_000;

interface Waiting {
  readonly resolve: (completion: Completion) => void;
  readonly reject: (reason: Error) => void;
  readonly end: (then: () => void) => void;
}

export class CompletionWaiter {
  /** More than one may wait for a job: under the same idempotency key. */
  readonly #waiting = new Map<string, Waiting[]>();
  /** Channels of other gateways, by how many of their jobs are waited for. */
  readonly #listening = new Map<string, number>();
  readonly #look: Timer;
  /** Whose notices came together: they are looked up together. */
  #noticed: string[] = [];

  /**
   * @param gateway the `reply_to` of the jobs that it waits for.
   * @param redis for commands; `subscriber` for the channel, a connection of its own.
   */
  constructor(
    private readonly gateway: string,
    private readonly redis: Redis,
    private readonly subscriber: Redis,
    private readonly names: RedisNames,
    private readonly trouble: (error: Error) => void,
  ) {
    subscriber.on("message", (_channel, job_id: string) => this.#notice(job_id));
    subscriber.on("ready", () => this.#fetch([...this.#waiting.keys()]));
    this.#look = setInterval(() => this.#fetch([...this.#waiting.keys()]), LOOK_EVERY_MS);
  }

  /** Resolves when notices can arrive: before it, completions are found by looking only. */
  async start(): Promise<void> {
    await this.subscriber.subscribe(this.names.done(this.gateway));
  }

  /**
   * The completion of a job. Call it before the job is pushed.
   * @throws Expired when `deadline` (epoch ms) passes first; the signal's reason when it fires.
   */
  wait(job_id: string, deadline: number, signal: AbortSignal): Promise<Completion> {
    return new Promise((resolve, reject) => {
      const abort = () => one.end(() => reject(signal.reason));
      const expire = () => one.end(() => reject(new Expired("no answer came before the deadline")));
      const timer = setTimeout(expire, deadline - Date.now());
      const one: Waiting = {
        resolve: (completion) => one.end(() => resolve(completion)),
        reject: (reason) => one.end(() => reject(reason)),
        end: (then) => {
          clearTimeout(timer);
          signal.removeEventListener("abort", abort);
          this.#remove(job_id, one);
          then();
        },
      };
      this.#waiting.set(job_id, [...(this.#waiting.get(job_id) ?? []), one]);
      if (signal.aborted) abort();
      else signal.addEventListener("abort", abort, { once: true });
    });
  }

  /**
   * The completion of a job that was accepted before, by whichever gateway, and may be done already. Past its deadline
   * it is looked for once more.
   * @throws as `wait`.
   */
  rejoin({ job_id, deadline, reply_to }: AcceptedJob, signal: AbortSignal): Promise<Completion> {
    const waiting = this.wait(job_id, Math.max(deadline, Date.now() + LOOK_EVERY_MS), signal);
    const fetch = () => this.#fetch([job_id]);
    if (reply_to === this.gateway) fetch();
    else waiting.catch(() => {}).finally(this.#listen(reply_to, fetch));
    return waiting;
  }

  /** Notices for another gateway, for as long as one of its jobs is waited for here; calls `heard` when they can come. */
  #listen(other: string, heard: () => void): () => void {
    const channel = this.names.done(other);
    this.#listening.set(channel, (this.#listening.get(channel) ?? 0) + 1);
    this.subscriber
      .subscribe(channel)
      .catch(() => {})
      .finally(heard);
    return () => {
      const left = this.#listening.get(channel)! - 1;
      if (left > 0) this.#listening.set(channel, left);
      else if (this.#listening.delete(channel)) this.subscriber.unsubscribe(channel).catch(() => {});
    };
  }

  /** A job's completion, where it is there. Rejects as the connection does. */
  async get(job_id: string): Promise<Completion | undefined> {
    const text = await this.redis.get(this.names.completion(job_id));
    return text === null ? undefined : read(job_id, text);
  }

  /** Ends all waits for a job: they reject with `reason`. */
  forget(job_id: string, reason = new Error("the job is not waited for any more")): void {
    for (const one of this.#waiting.get(job_id) ?? []) one.reject(reason);
  }

  #remove(job_id: string, one: Waiting): void {
    const others = (this.#waiting.get(job_id) ?? []).filter((other) => other !== one);
    if (others.length > 0) this.#waiting.set(job_id, others);
    else this.#waiting.delete(job_id);
  }

  close(): void {
    clearInterval(this.#look);
  }

  #notice(job_id: string): void {
    if (this.#noticed.push(job_id) > 1) return;
    queueMicrotask(() => {
      const job_ids = this.#noticed;
      this.#noticed = [];
      this.#fetch(job_ids);
    });
  }

  async #fetch(job_ids: string[]): Promise<void> {
    const wanted = job_ids.filter((job_id) => this.#waiting.has(job_id));
    if (wanted.length === 0) return;
    try {
      const found = await this.redis.mget(wanted.map((job_id) => this.names.completion(job_id)));
      found.forEach((text, i) => {
        if (text === null) return;
        const completion = read(wanted[i]!, text);
        for (const one of this.#waiting.get(wanted[i]!) ?? []) one.resolve(completion);
      });
    } catch (error) {
      this.trouble(toError(error)); // looked up again within a second
    }
  }
}

/** A foreign worker may have written it: what does not fit is an error of its job, not of the gateway. */
function read(job_id: string, text: string): Completion {
  try {
    const completion: unknown = JSON.parse(text);
    if (completions.message.check(completion)) return completion;
    return unreadable(job_id, completions.message.explain(completion));
  } catch (error) {
    return unreadable(job_id, toError(error).message);
  }
}

function unreadable(job_id: string, reason: string): Completion {
  const message = `the completion of this job does not fit its contract: ${reason}`;
  return { job_id, status: "error", stage: "gateway", code: "invalid_completion", message, timings: {} };
}
