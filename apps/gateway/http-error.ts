/** What a client is told when it gets no answer: a status and the error body of the contract. */
import type { Completion, ErrorBody, FailedCompletion } from "#contracts";
import type { Cancelling } from "#queue";

interface HttpErrorDetails {
  readonly job_id?: string;
  readonly retry_after_s?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

export class HttpError extends Error {
  override name = "HttpError";
  readonly more: Omit<HttpErrorDetails, "cause">;

  constructor(
    readonly status: number,
    /** Stable, snake_case. */
    readonly code: string,
    message: string,
    { cause, ...more }: HttpErrorDetails = {},
  ) {
    // In `cause` alone: a log writes that as words, and not what Redis was sent, which it holds.
    super(message, { cause });
    this.more = more;
  }

  /** Of the answer that tells of it. */
  get headers(): Record<string, string> {
    const { headers, retry_after_s } = this.more;
    return { ...headers, ...(retry_after_s !== undefined && { "retry-after": String(retry_after_s) }) };
  }

  /** Not `toResponse`: Elysia would call that by itself, before `onError` is asked. */
  response(): Response {
    const { job_id } = this.more;
    const body: ErrorBody = { error: { code: this.code, message: this.message }, ...(job_id && { job_id }) };
    return Response.json(body, { status: this.status, headers: this.headers });
  }
}

export function redisUnavailable(cause: unknown): HttpError {
  const message = "the queue's Redis does not answer; the question was not accepted: ask again in a moment";
  return new HttpError(503, "redis_unavailable", message, { retry_after_s: 1, cause });
}

export function stopping(): HttpError {
  const message =
    "this gateway is stopping; the question was not accepted: ask again, another one may take it";
  return new HttpError(503, "stopping", message, { retry_after_s: 1 });
}

/** Codes of completions whose fault lies behind the line; all others are the line's own. */
const STATUS_OF_CODE: Record<string, number> = {
  context_length_exceeded: 400,
  cancelled: 409,
  replica_failed: 502,
  store_unavailable: 503,
  deadline_exceeded: 504,
};

/** The HTTP status that goes with the code of a job that was accepted and not answered. */
export function statusOfCode(code: string): number {
  return STATUS_OF_CODE[code] ?? 500;
}

export function fromCompletion({ job_id, status, code, message }: FailedCompletion): HttpError {
  if (status === "expired") return timedOut(job_id);
  if (status === "cancelled")
    return new HttpError(409, "cancelled", "this question was cancelled", { job_id });
  return new HttpError(statusOfCode(code), code, message, { job_id });
}

export function timedOut(job_id: string): HttpError {
  return new HttpError(504, "deadline_exceeded", "no answer came in time: the replicas may be overloaded", {
    job_id,
  });
}

export function noSuchJob(job_id: string): HttpError {
  const message = "no such job was accepted here, or it ended too long ago";
  return new HttpError(404, "not_found", message, { job_id });
}

/** @throws HttpError 404 for a job that nobody knows, 409 for one that ended in another way. */
export function refuseToCancel(job_id: string, cancelling: Cancelling): void {
  if (cancelling.kind === "unknown") throw noSuchJob(job_id);
  if (cancelling.kind === "done") {
    const { status } = JSON.parse(cancelling.completion) as Completion;
    if (status === "cancelled") return;
    throw new HttpError(409, "already_done", `the job ended before, with status ${status}`, { job_id });
  }
}
