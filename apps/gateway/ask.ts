/**
 * One question through the line.
 *
 * Its life at the gateway:
 * 1. A replica is chosen and counted; from here on the count goes back whatever happens.
 * 2. The job is pushed. Only now is the question accepted; until then any failure is a 503.
 * 3. Its completion is waited for, until the deadline or until the client has hung up: then it is cancelled.
 */

import type { Redis } from "ioredis";
import type { LeastConnections } from "#balancer";
import { type AnswerCompletion, DEFAULT_TOP_K, type QueryRequest, queues, type RedisNames } from "#contracts";
import { type CompletionWaiter, cancel, Expired, push } from "#queue";
import type { Logger } from "#runtime";
import { fromCompletion, HttpError, redisUnavailable, timedOut } from "./http-error.ts";

export interface Line {
  /** Name of this gateway: completions of its jobs wake it by it. */
  readonly gateway: string;
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly balancer: LeastConnections;
  readonly waiter: CompletionWaiter;
  readonly timeout_ms: number;
  readonly log: Logger;
}

const RELEASE_AGAIN_MS = 500;

/**
 * @throws HttpError 503 where Redis did not take the job, 504 past the deadline, 502 and 500 as the line's
 *   completion says; the signal's reason when the client hangs up.
 */
export async function ask(line: Line, { query, top_k = DEFAULT_TOP_K }: QueryRequest, signal: AbortSignal) {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  const deadline = submitted_at + line.timeout_ms;
  try {
    const selected_replica = await line.balancer.reserve(job_id, deadline).catch(refuse);
    const completion = line.waiter.wait(job_id, deadline, signal);
    const job = {
      job_id,
      query,
      top_k,
      selected_replica,
      submitted_at,
      deadline,
      reply_to: line.gateway,
      timings: {},
    };
    try {
      await push(line.redis, line.names, queues.encoderIn, job);
    } catch (error) {
      line.waiter.forget(job_id);
      refuse(error);
    }
    return { job_id, completion: answerOf(await completion) };
  } catch (error) {
    // Nobody waits for it any more, wherever it is; if Redis cannot be told, its deadline ends it.
    if (signal.aborted || error instanceof Expired) cancel(line.redis, line.names, job_id).catch(() => {});
    throw error instanceof Expired ? timedOut(job_id) : error;
  } finally {
    release(line, job_id, deadline);
  }
}

function answerOf(completion: Awaited<ReturnType<CompletionWaiter["wait"]>>): AnswerCompletion {
  if (completion.status !== "ok") throw fromCompletion(completion);
  if ("answer" in completion) return completion;
  throw new HttpError(500, "invalid_completion", "the line completed this question as if it were a document");
}

function refuse(cause: unknown): never {
  throw redisUnavailable(cause);
}

/** The answer does not wait for it. If Redis is away it is tried until the lease ends by itself. */
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
