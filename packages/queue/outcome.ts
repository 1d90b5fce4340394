/** What a handler can say of a job besides its result, as types rather than strings. */

import type { Completion } from "#contracts";

/** The job cannot be done, now or later: its caller is told `code` and `message`. */
export class Fail extends Error {
  override name = "Fail";
  constructor(
    /** Stable, snake_case: what programs go by. */
    readonly code: string,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/**
 * The job cannot be done now, but may be soon: it is tried again after a backoff, as its deadline allows. Where it
 * allows no more, `last` is the outcome.
 */
export class Retry extends Error {
  override name = "Retry";
  constructor(readonly last: Fail) {
    super(last.message, { cause: last.cause });
  }
}

/** The job's deadline has passed: nobody waits for its result. */
export class Expired extends Error {
  override name = "Expired";
  constructor(message = "the deadline passed before the job was done") {
    super(message);
  }
}

/** Nobody waits for the job any more: its client hung up, or it was deleted. */
export class Cancelled extends Error {
  override name = "Cancelled";
  constructor(message = "the job was cancelled") {
    super(message);
  }
}

/** The reason of a handler's signal when its job was given to another worker: this one showed no life for too long. */
export class LeaseLost extends Error {
  override name = "LeaseLost";
  constructor() {
    super("the job was given to another worker, as this one showed no life for longer than its lease");
  }
}

/** A message that does not fit the contract of its queue. */
export class ContractError extends Error {
  override name = "ContractError";
}

/** The job is done here, whatever stages would come: its caller gets `completion`, and nothing goes to the next queue. */
export class Completed {
  /** @param completion its timings are added when it is written. */
  constructor(readonly completion: Completion) {}
}

/** Whatever was thrown, as an error. The one place where unknown errors are coerced. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
