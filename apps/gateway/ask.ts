/**
 * One question through the line.
 *
 * Its life at the gateway:
 * 1. A replica is chosen and counted; from here on the count goes back whatever happens.
 * 2. The job is admitted. Only now is the question accepted; until then any failure is a 503, and a line that is full,
 *    or too slow for the deadline, a 429. A question that came before under the same key is not accepted again: its
 *    answer is waited for.
 * 3. Its completion is waited for, until the deadline or until the client has hung up: then it is cancelled. With a
 *    key it is not, as the client may come back for it.
 */

import type { Balancer } from "#balancer";
import { type AnswerCompletion, type Completion, DEFAULT_TOP_K, type QueryRequest } from "#contracts";
import {
  type AcceptedJob,
  type Admission,
  type Admitted,
  type Canceller,
  type CompletionWaiter,
  Expired,
  type Note,
} from "#queue";
import type { Logger } from "#runtime";
import type { AnswerCache, Place } from "./answer-cache.ts";
import { fromCompletion, HttpError, redisUnavailable, timedOut } from "./http-error.ts";
import { tokensOfAnswer } from "./keys/cost.ts";

export interface Line {
  /** Name of this gateway: completions of its jobs wake it by it. */
  readonly gateway: string;
  readonly admission: Admission;
  /** Of texts whose vectors are all that is wanted: what waits behind the encoder is not before them. */
  readonly embeddings: Admission;
  readonly balancer: Balancer;
  readonly waiter: CompletionWaiter;
  readonly canceller: Canceller;
  /** Where answers are kept. */
  readonly answers?: AnswerCache;
  readonly timeout_ms: number;
  readonly log: Logger;
  /** Told the code of each 429: `line_full` or `overloaded`. */
  readonly refused: (code: string) => void;
}

export interface Asking {
  /** Fires when the client hangs up. */
  readonly signal: AbortSignal;
  /** In whose name it is asked. */
  readonly tenant: string;
  /** Its weight among tenants; without one it waits for nobody's turn. */
  readonly priority?: number;
  /** Counts what it cost the models, in tokens, once it is answered. Never rejects. */
  readonly spend: (tokens: number) => Promise<void>;
  /** The client's `Cache-Control`; with an `Idempotency-Key` no answer is kept or taken: it has a job of its own. */
  readonly cache_control?: string | null;
  /** The client's `Idempotency-Key`. */
  readonly key?: string;
  /** What is pushed to another queue when the job is completed, however it ends. */
  readonly successor?: Successor;
  /** Its tokens are to be had as they come, from the stream that Redis keeps of them. */
  readonly stream?: boolean;
}

export interface Successor {
  /** Differs where the same question with it is another one. */
  readonly digest: string;
  readonly note: (job: Omit<AcceptedJob, "digest">) => Note;
}

export interface Submitted {
  readonly job_id: string;
  /** Whether it had been accepted before, under the same key. */
  readonly seen: boolean;
  /** The gateway that it is of: not this one, perhaps, where it was accepted before. */
  readonly reply_to: string;
  /** Rejects with `Expired` past the deadline, and with the signal's reason when a client without a key hangs up. */
  readonly completion: Promise<Completion>;
}

const TRY_AGAIN_MS = 500;
const NEVER = new AbortController().signal;

/**
 * A question to its answer.
 * @throws HttpError as `submit` and `answerOf` do; the signal's reason when the client hangs up.
 */
export async function ask(line: Line, question: QueryRequest, asking: Asking): Promise<AnswerCompletion> {
  const place = await placeOf(line, question, asking);
  if (place?.kept) return place.kept;
  const completion = await answerOf(line, await submit(line, question, asking), asking);
  place?.keep(completion);
  return completion;
}

/** Where its answer is kept, if answers are. */
export function placeOf(
  { answers }: Line,
  question: QueryRequest,
  asking: Omit<Asking, "signal">,
): Promise<Place> | undefined {
  return asking.key === undefined ? answers?.look(question, asking) : undefined;
}

/**
 * Resolves when the line has accepted the question.
 * @throws HttpError 503 where Redis did not take the job, 429 where the line is full or too slow, 422 for a key that was
 *   used for another question.
 */
export async function submit(
  line: Line,
  { query, top_k = DEFAULT_TOP_K, filter }: QueryRequest,
  { signal, tenant, priority, spend, key, successor, stream }: Asking,
): Promise<Submitted> {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  const deadline = submitted_at + line.timeout_ms;
  let selected_replica: string | undefined;
  const release = () => line.balancer.release(job_id, selected_replica);
  try {
    selected_replica = await line.balancer.reserve(job_id, deadline);
  } catch (error) {
    // It may have been counted, and only the reply been lost.
    persist(line, deadline, release);
    return refuse(error);
  }
  const completion = line.waiter.wait(job_id, deadline, key ? NEVER : signal);
  // The answer does not wait for it; nor does a job with a key whose client has left.
  completion.then(
    (done) => {
      persist(line, deadline, release);
      spend(tokensOfAnswer(query, done));
    },
    (error) => {
      persist(line, deadline, release);
      // Nobody may be at work, and whoever the successor tells is to be told all the same.
      if (successor && error instanceof Expired) line.canceller.expire(job_id).catch(() => {});
    },
  );

  const job = {
    job_id,
    query,
    top_k,
    filter,
    selected_replica,
    submitted_at,
    deadline,
    reply_to: line.gateway,
    tenant,
    priority,
    timings: {},
    stream: stream || undefined,
  };
  const narrowed = filter || successor ? JSON.stringify([filter, successor?.digest]) : "";
  const digest = Bun.hash(`${top_k}${narrowed} ${query}`).toString(36);
  let admitted: Admitted;
  try {
    const seen_by = key ? keyOf(tenant, key) : job_id;
    admitted = await line.admission.admit(job, seen_by, digest, successor?.note(job));
  } catch (error) {
    line.waiter.forget(job_id);
    // It may be the reply that was lost: a client without a key asks anew, and this job would be done for nobody.
    if (!key) persist(line, deadline, () => line.canceller.cancel(job_id));
    return refuse(error);
  }
  if (admitted.kind === "admitted") return { job_id, seen: false, reply_to: line.gateway, completion };

  line.waiter.forget(job_id);
  if (admitted.kind !== "seen") throw notAdmitted(line, admitted);
  const { job: before } = admitted;
  if (before.digest !== digest) throw keyReused();
  const { reply_to } = before;
  return { job_id: before.job_id, seen: true, reply_to, completion: line.waiter.rejoin(before, signal) };
}

/** Two tenants may use the same key. */
function keyOf(tenant: string, key: string): string {
  return `query:${encodeURIComponent(tenant)}:${key}`;
}

/**
 * The answer of an accepted question.
 * @throws HttpError 504 past the deadline, 409 when it was cancelled, 502 and 500 as the line's completion says; the
 *   signal's reason when the client hangs up.
 */
export async function answerOf(
  line: Line,
  { job_id, completion }: Pick<Submitted, "job_id" | "completion">,
  { signal, key }: Pick<Asking, "signal" | "key">,
): Promise<AnswerCompletion> {
  try {
    return answered(await completion);
  } catch (error) {
    // Nobody waits for it any more, wherever it is; if Redis cannot be told, its deadline ends it.
    if (signal.aborted && !key) line.canceller.cancel(job_id).catch(() => {});
    throw error instanceof Expired ? timedOut(job_id) : error;
  }
}

/** @throws HttpError for a completion that is no answer. */
export function answered(completion: Completion): AnswerCompletion {
  if (completion.status !== "ok") throw fromCompletion(completion);
  if ("answer" in completion) return completion;
  throw new HttpError(500, "invalid_completion", "the line completed this question as if it were a document");
}

function refuse(cause: unknown): never {
  throw redisUnavailable(cause);
}

/** What whoever asked is told of a job that was not accepted; it is counted. */
export function notAdmitted(
  line: Line,
  refused: Extract<Admitted, { kind: "full" | "overloaded" }>,
): HttpError {
  const refusal = refused.kind === "full" ? lineFull(refused) : overloaded(refused);
  line.refused(refusal.code);
  return refusal;
}

/** The line is asked for again when what waits now is through it, at its present rate: within 1 to 60 seconds. */
function lineFull({ depth, per_second }: { depth: number; per_second: number }): HttpError {
  const retry_after_s = retryAfter(depth / per_second);
  const message = "the line is full; the question was not accepted: ask again after Retry-After seconds";
  return new HttpError(429, "line_full", message, { retry_after_s });
}

/** Too late is no answer: whoever asks again then has its time before it. */
function overloaded({ over_ms }: { over_ms: number }): HttpError {
  const message =
    "too many questions wait to answer this one in time; it was not accepted: ask again after Retry-After seconds";
  return new HttpError(429, "overloaded", message, { retry_after_s: retryAfter(over_ms / 1_000) });
}

function retryAfter(seconds: number): number {
  return Math.min(60, Math.max(1, Math.ceil(seconds)));
}

function keyReused(): HttpError {
  const message = "this Idempotency-Key was used for another question: use a new one for each question";
  return new HttpError(422, "idempotency_key_reused", message);
}

/** What Redis should be told of a job; if Redis is away it is tried until the job's deadline, which ends both by itself. */
async function persist(line: Line, deadline: number, tell: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await tell();
      return;
    } catch (error) {
      if (Date.now() > deadline) return;
      line.log.debug({ err: error }, "Redis is told later");
      await Bun.sleep(TRY_AGAIN_MS);
    }
  }
}
