/** What a handler can say of a job besides its result, as types rather than strings. */

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

/** The job's deadline has passed: nobody waits for its result. */
export class Expired extends Error {
  override name = "Expired";
  constructor(message = "the deadline passed before the job was done") {
    super(message);
  }
}

/** A message that does not fit the contract of its queue. */
export class ContractError extends Error {
  override name = "ContractError";
}

/** Whatever was thrown, as an error. The one place where unknown errors are coerced. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
