/**
 * - `refused`: no connection, or one that was closed before there was a response.
 * - `timeout`: no token in time: the first, or the next.
 * - `silent`: it hangs, as other workers' calls show too; the call was given up before its time was over.
 * - `http`: an error status.
 * - `malformed`: an answer that is not in the replica's wire format, or is empty.
 * - `cut_off`: an answer that began and did not come to its end.
 */
export type ReplicaErrorCode = "refused" | "timeout" | "silent" | "http" | "malformed" | "cut_off";

/** A replica did not answer; another one may. The message says how, and names the URL. */
export class ReplicaError extends Error {
  override name = "ReplicaError";

  constructor(
    readonly code: ReplicaErrorCode,
    readonly url: string,
    /** Goes on from "the replica at URL". */
    what: string,
    options?: ErrorOptions,
  ) {
    super(`the replica at ${url} ${what}`, options);
  }
}
