/**
 * Texts to their vectors, through the encoder's queue.
 *
 * Each text is a job of its own, and only so many of a request are on the line at once as the encoder takes together: a
 * question that comes behind a thousand texts waits for these few, not for all. A job is done at the encoder; if one
 * fails, or the client hangs up, those that are still on the line are cancelled.
 */
import type { EmbeddingCompletion } from "#contracts";
import { type Admitted, Expired } from "#queue";
import { type Line, notAdmitted } from "./ask.ts";
import { fromCompletion, HttpError, redisUnavailable } from "./http-error.ts";
import type { Identity } from "./tenant.ts";

export interface Embedding extends Identity {
  /** Fires when the client hangs up. */
  readonly signal: AbortSignal;
}

/** Texts of one request on the line: the encoder's default batch. */
const AT_ONCE = 16;

/**
 * A completion for each text, in order; one deadline for all of them.
 * @throws HttpError as of the first that failed: 400 for a text that is too long, 429 where the line is full, 503 where
 *   Redis did not take it, 504 past the deadline; the signal's reason when the client hangs up.
 */
export async function embed(
  line: Line,
  texts: readonly string[],
  { signal, tenant, priority, spend }: Embedding,
): Promise<EmbeddingCompletion[]> {
  const deadline = Date.now() + line.timeout_ms;
  const failed = new AbortController();
  const over = AbortSignal.any([signal, failed.signal]);
  const done = new Array<EmbeddingCompletion>(texts.length);
  const left = texts.entries();
  const sender = async () => {
    for (const [i, text] of left) {
      over.throwIfAborted();
      done[i] = await embedOne(line, text, { tenant, priority, deadline, signal: over });
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, sender));
  } catch (error) {
    failed.abort(error);
    throw error;
  } finally {
    spend(done.reduce((sum, { tokens }) => sum + tokens, 0));
  }
  return done;
}

async function embedOne(
  line: Line,
  text: string,
  asked: Pick<Identity, "tenant" | "priority"> & { readonly deadline: number; readonly signal: AbortSignal },
): Promise<EmbeddingCompletion> {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  const { tenant, priority, deadline, signal } = asked;
  const about = { job_id, tenant, priority, submitted_at, deadline, reply_to: line.gateway, timings: {} };
  const completion = line.waiter.wait(job_id, deadline, signal);
  completion.catch(() => {}); // awaited below
  let admitted: Admitted;
  try {
    admitted = await line.embeddings.admit({ ...about, only: "embedding", text }, job_id, "");
  } catch (error) {
    line.waiter.forget(job_id);
    cancel(); // it may be the reply that was lost
    throw redisUnavailable(error);
  }
  if (admitted.kind === "full" || admitted.kind === "overloaded") {
    line.waiter.forget(job_id);
    throw notAdmitted(line, admitted);
  }
  try {
    const ended = await completion;
    if (ended.status !== "ok") throw fromCompletion(ended);
    if ("embedding" in ended) return ended;
    throw new HttpError(500, "invalid_completion", "the line completed this text as if it were a question");
  } catch (error) {
    if (signal.aborted) cancel();
    if (!(error instanceof Expired)) throw error;
    const message = "no vector came in time: the encoder may be overloaded, or the request too large";
    throw new HttpError(504, "deadline_exceeded", message);
  }

  /** If Redis cannot be told, its deadline ends it. */
  function cancel(): void {
    line.canceller.cancel(job_id).catch(() => {});
  }
}
