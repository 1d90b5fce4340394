/**
 * One question through the line.
 *
 * Its life at the gateway:
 * 1. A replica is chosen and counted; from here on the count goes back whatever happens.
 * 2. The job is admitted. Only now is the question accepted; until then any failure is a 503, and a full line a 429. A
 *    question that came before under the same key is not accepted again: its answer is waited for.
 * 3. Its completion is waited for, until the deadline or until the client has hung up: then it is cancelled. With a
 *    key it is not, as the client may come back for it.
 */

import type { Redis } from "ioredis";
import type { LeastConnections } from "#balancer";
import { type AnswerCompletion, DEFAULT_TOP_K, type QueryRequest, type RedisNames } from "#contracts";
import { type Admission, type Admitted, type CompletionWaiter, cancel, Expired } from "#queue";
import type { Logger } from "#runtime";
import type { CompletionRate } from "./completion-rate.ts";
import { fromCompletion, HttpError, redisUnavailable, timedOut } from "./http-error.ts";

export interface Line {
  /** Name of this gateway: completions of its jobs wake it by it. */
  readonly gateway: string;
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly admission: Admission;
  readonly balancer: LeastConnections;
  readonly waiter: CompletionWaiter;
  readonly rate: CompletionRate;
  readonly timeout_ms: number;
  readonly log: Logger;
}

export interface Asking {
  /** Fires when the client hangs up. */
  readonly signal: AbortSignal;
  /** The client's `Idempotency-Key`. */
  readonly key?: string;
}

const RELEASE_AGAIN_MS = 500;
const NEVER = new AbortController().signal;

/**
 * @throws HttpError 503 where Redis did not take the job, 429 where the line is full, 422 for a key that was used for
 *   another question, 504 past the deadline, 409 when it was cancelled, 502 and 500 as the line's completion says; the
 *   signal's reason when the client hangs up.
 */
export async function ask(
  line: Line,
  { query, top_k = DEFAULT_TOP_K, filter }: QueryRequest,
  { signal, key }: Asking,
) {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  const deadline = submitted_at + line.timeout_ms;
  const selected_replica = await line.balancer.reserve(job_id, deadline).catch(refuse);
  const completion = line.waiter.wait(job_id, deadline, key ? NEVER : signal);
  // The answer does not wait for it; nor does a job with a key whose client has left.
  completion.catch(() => {}).finally(() => release(line, job_id, deadline));

  const job = {
    job_id,
    query,
    top_k,
    filter,
    selected_replica,
    submitted_at,
    deadline,
    reply_to: line.gateway,
    timings: {},
  };
  const digest = Bun.hash(JSON.stringify([query, top_k, filter])).toString(36);
  let admitted: Admitted;
  try {
    admitted = await line.admission.admit(job, key ?? job_id, digest);
  } catch (error) {
    line.waiter.forget(job_id);
    return refuse(error);
  }
  if (admitted.kind === "admitted") return answer(line, job_id, completion, { signal, key });

  line.waiter.forget(job_id);
  if (admitted.kind === "full") throw lineFull(line.rate.secondsFor(admitted.depth));
  const seen = admitted.job;
  if (seen.digest !== digest) throw keyReused();
  const waiting = line.waiter.wait(seen.job_id, Math.max(seen.deadline, Date.now() + 1_000), signal);
  line.waiter.look(seen.job_id);
  return answer(line, seen.job_id, waiting, { signal, key });
}

async function answer(
  line: Line,
  job_id: string,
  waiting: ReturnType<CompletionWaiter["wait"]>,
  { signal, key }: Asking,
): Promise<{ job_id: string; completion: AnswerCompletion }> {
  try {
    const completion = await waiting;
    line.rate.completed();
    if (completion.status !== "ok") throw fromCompletion(completion);
    if ("answer" in completion) return { job_id, completion };
    throw new HttpError(
      500,
      "invalid_completion",
      "the line completed this question as if it were a document",
    );
  } catch (error) {
    // Nobody waits for it any more, wherever it is; if Redis cannot be told, its deadline ends it.
    const left = signal.aborted && !key;
    if (left || error instanceof Expired) cancel(line.redis, line.names, job_id).catch(() => {});
    throw error instanceof Expired ? timedOut(job_id) : error;
  }
}

function refuse(cause: unknown): never {
  throw redisUnavailable(cause);
}

function lineFull(retry_after_s: number): HttpError {
  const message = "the line is full; the question was not accepted: ask again after Retry-After seconds";
  return new HttpError(429, "line_full", message, { retry_after_s });
}

function keyReused(): HttpError {
  const message = "this Idempotency-Key was used for another question: use a new one for each question";
  return new HttpError(422, "idempotency_key_reused", message);
}

/** If Redis is away it is tried until the lease ends by itself. */
async function release(line: Line, job_id: string, deadline: number): Promise<void> {
  for (;;) {
    try {
      return await line.balancer.release(job_id);
    } catch (error) {
      if (Date.now() > deadline) return;
      line.log.debug({ job_id, err: error }, "the replica's count goes back later");
      await Bun.sleep(RELEASE_AGAIN_MS);
    }
  }
}
