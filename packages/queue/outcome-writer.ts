/** Turns what a handler said of a job into what is written to Redis, and tells of it. */

import type { Static, TSchema } from "@sinclair/typebox";
import {
  type Completions,
  completions,
  type DeadLetter,
  type Envelope,
  type FailedCompletion,
  type Queue,
  type StageTiming,
  type Timings,
} from "#contracts";
import { backoff } from "./backoff.ts";
import type { ConsumerOptions, Outcome } from "./consumer-options.ts";
import { Cancelled, Completed, type ContractError, Expired, Fail, Retry, toError } from "./outcome.ts";
import { encode } from "./push.ts";
import { callerOf } from "./received.ts";
import type { Caller, Settler } from "./settler.ts";
import { turnOf } from "./turn.ts";

export class OutcomeWriter<In extends TSchema, Out extends TSchema> {
  constructor(
    private readonly settler: Settler,
    private readonly options: Pick<ConsumerOptions<In, Out>, "stage" | "from" | "to" | "observe">,
  ) {}

  /** Resolves when Redis has it. */
  async write(
    message: string,
    job: Envelope,
    outcome: Outcome<Static<Out>>,
    timing: StageTiming,
  ): Promise<void> {
    const { stage, observe } = this.options;
    const completed = outcome instanceof Completed;
    const to = completed ? completions : this.options.to;
    const timings = { ...job.timings, [stage]: timing };
    const done = { kind: "done", job_id: job.job_id, timing } as const;
    if (outcome instanceof Retry) return this.#retry(message, job, outcome, timing);
    if (outcome instanceof Fail || outcome instanceof Expired || outcome instanceof Cancelled) {
      const status = outcome instanceof Fail ? "error" : outcome instanceof Expired ? "expired" : "cancelled";
      const code = outcome instanceof Fail ? outcome.code : status;
      const completion = this.#failed(status, job.job_id, code, outcome.message, timings);
      await this.settler.complete(message, job, completion, status === "error");
      return observe({ ...done, outcome: status, error: outcome });
    }
    const next =
      outcome instanceof Error
        ? outcome
        : this.#encode(to, {
            ...(completed ? outcome.completion : (outcome as object)),
            timings,
            attempts: undefined,
          });
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
      ? this.settler.settle(message, next, turnOf(job))
      : this.settler.complete(message, job, next, true));
    observe({ ...done, outcome: "ok" });
  }

  /**
   * A message that nobody could use becomes a dead letter. Resolves when Redis has it.
   * @param raw its bytes, where they are not those of `message`.
   */
  refuse(message: string, error: ContractError, raw?: Buffer): Promise<void> {
    const told = `a message of this job ${error.message}`;
    return this.#bury(message, error.message, callerOf(message), "invalid_message", told, {}, raw);
  }

  async #retry(message: string, job: Envelope, outcome: Retry, timing: StageTiming): Promise<void> {
    const attempt = (job.attempts ?? 0) + 1;
    const delay_ms = backoff(attempt, job.deadline, this.options.from.retries);
    if (delay_ms === undefined) return this.write(message, job, outcome.last, timing);
    await this.settler.delay(message, JSON.stringify({ ...job, attempts: attempt }), delay_ms);
    this.options.observe({ kind: "retry", job_id: job.job_id, attempt, delay_ms, error: outcome });
  }

  #encode(to: Queue | Completions, next: object): string | Error {
    try {
      return encode(to, next);
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
    timings: Timings,
    raw?: Buffer,
  ): Promise<void> {
    const { stage, observe } = this.options;
    const letter = { message, reason, stage, at: Date.now(), deliveries: 0 } satisfies DeadLetter;
    const completion = caller && this.#failed("error", caller.job_id, code, told, timings);
    const letters = await this.settler.bury(raw ?? message, JSON.stringify(letter), caller, completion);
    observe({ kind: "dead", job_id: caller?.job_id, reason, letters });
  }

  #failed(
    status: FailedCompletion["status"],
    job_id: string,
    code: string,
    message: string,
    timings: Timings,
  ) {
    const { stage } = this.options;
    const completion: FailedCompletion = { job_id, status, stage, code, message, timings };
    return JSON.stringify(completion);
  }
}
