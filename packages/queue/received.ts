/** A message as it was taken, and what can be read of it. */

import type { Static, TSchema } from "@sinclair/typebox";
import type { Envelope, Queue } from "#contracts";
import { ContractError, toError } from "./outcome.ts";
import type { Caller } from "./settler.ts";

/** The job in a message, or what is wrong with it. */
export function readJob<S extends TSchema>(
  from: Queue<S>,
  message: string,
): (Static<S> & Envelope) | ContractError {
  try {
    const job: unknown = JSON.parse(message);
    if (from.message.check(job)) return job as Static<S> & Envelope;
    return new ContractError(`does not fit ${from.name}: ${from.message.explain(job)}`);
  } catch (cause) {
    return new ContractError(`is not JSON: ${toError(cause).message}`, { cause });
  }
}

/** Whom to tell of a message that does not fit, as far as it can be read. */
export function callerOf(message: string): Caller | undefined {
  try {
    const { job_id, reply_to } = JSON.parse(message);
    if (typeof job_id !== "string" || job_id === "") return undefined;
    return { job_id, reply_to: typeof reply_to === "string" ? reply_to : undefined };
  } catch {
    return undefined;
  }
}

/** Since the stage before was done with it, in ms: what its stages have not accounted for. */
export function waitedSoFar({ submitted_at, timings }: Envelope): number {
  let accounted = 0;
  for (const stage in timings) accounted += timings[stage]!.waited + timings[stage]!.worked;
  return Math.max(0, Date.now() - submitted_at - accounted);
}
