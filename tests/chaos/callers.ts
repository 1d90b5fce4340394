/**
 * The callers of a run: a fixed number of them ask one question after the other, and note what they are told.
 *
 * A question's life here:
 * 1. Its turn comes: faults that are due are begun first.
 * 2. It is pushed. If Redis did not take it, or its reply was lost, nobody was promised anything: it is
 *    `refused`, and the caller asks again as a new job. Otherwise it is `accepted`.
 * 3. Its completion is waited for, and `told` when it comes.
 */
import type { Redis } from "ioredis";
import { type Completion, queues, type RedisNames } from "#contracts";
import { type CompletionWaiter, push } from "#queue";
import { question } from "./question.ts";

const CALLERS = 200;

export interface Question {
  readonly marker: string;
  /** Kills the worker that handles it. */
  readonly poisoned: boolean;
}

export interface CallersOptions {
  readonly jobs: number;
  /** Which of them, counted from 0, kill their worker. */
  readonly poisoned: ReadonlySet<number>;
  readonly gateway: string;
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly waiter: CompletionWaiter;
  /** Called before each question, with how many came before it; it is sent when this resolves. */
  readonly turn: (asked: number) => Promise<void>;
  /** Ends all waiting. */
  readonly signal: AbortSignal;
}

export class Callers {
  readonly accepted = new Map<string, Question>();
  readonly refused = new Map<string, Question>();
  readonly told = new Map<string, Completion>();
  /** When something was last accepted or told, as `performance.now()` has it. */
  progress_at = performance.now();
  #asked = 0;

  constructor(private readonly options: CallersOptions) {}

  /** Resolves when every question is told, or the signal fires. */
  async ask(): Promise<void> {
    await Promise.all(Array.from({ length: CALLERS }, () => this.#caller()));
  }

  async #caller(): Promise<void> {
    const { jobs, turn, signal } = this.options;
    while (this.#asked < jobs && !signal.aborted) {
      const n = this.#asked++;
      await turn(n);
      if (signal.aborted) return;
      for (let attempt = 0; !signal.aborted; attempt++) {
        if (await this.#question(n, attempt)) break;
        await this.#connected();
      }
    }
  }

  /** Whether it was accepted. */
  async #question(n: number, attempt: number): Promise<boolean> {
    const { gateway, redis, names, waiter, signal } = this.options;
    const job_id = `job-${n}-${attempt}`;
    const marker = `marker-${job_id}`;
    const poisoned = this.options.poisoned.has(n);
    const submitted_at = Date.now();
    const deadline = submitted_at + 3_600_000; // what is late shall show as such, not expire
    const completion = waiter.wait(job_id, deadline, signal).catch(() => undefined);
    try {
      await push(redis, names, queues.encoderIn, {
        job_id,
        query: question(marker, poisoned),
        top_k: 5,
        selected_replica: "http://replica.invalid",
        submitted_at,
        deadline,
        reply_to: gateway,
        timings: {},
      });
    } catch {
      waiter.forget(job_id);
      this.refused.set(job_id, { marker, poisoned });
      return false;
    }
    this.accepted.set(job_id, { marker, poisoned });
    this.progress_at = performance.now();
    const told = await completion;
    if (told) this.told.set(job_id, told);
    this.progress_at = performance.now();
    return true;
  }

  async #connected(): Promise<void> {
    const { redis, signal } = this.options;
    do await Bun.sleep(20);
    while (redis.status !== "ready" && !signal.aborted);
  }
}
