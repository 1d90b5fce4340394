/**
 * A job's answer from the replica that it is counted on; where that one fails, from another.
 *
 * The count moves with the call: the replica that is counted is the one that is called.
 */
import type { LeastConnections } from "#balancer";
import type { LlmIn } from "#contracts";
import { Fail } from "#queue";
import type { Logger } from "#runtime";
import { type ReplicaClient, ReplicaError } from "./replica/index.ts";

export interface Generated {
  readonly answer: string;
  /** The replica that answered. */
  readonly selected_replica: string;
}

export interface Generator {
  readonly client: ReplicaClient;
  readonly balancer: LeastConnections;
  readonly log: Logger;
}

/** @throws Fail `replica_failed` when no replica is left to try; the signal's reason when it fires. */
export async function generate({ client, balancer, log }: Generator, job: LlmIn, signal: AbortSignal) {
  const failures: ReplicaError[] = [];
  let replica: string | undefined = job.selected_replica;
  // The name comes from a message: only what is configured here is called.
  if (!balancer.replicas.includes(replica)) replica = await move(replica);
  while (replica !== undefined) {
    try {
      const answer = await client.generate({ url: replica, prompt: job.augmented_prompt, signal });
      return { answer, selected_replica: replica } satisfies Generated;
    } catch (error) {
      if (!(error instanceof ReplicaError)) throw error;
      log.warn(
        { job_id: job.job_id, replica, code: error.code, err: error },
        "a replica failed: trying another",
      );
      failures.push(error);
      replica = await move(replica);
    }
  }
  const reasons = failures.map((failure) => failure.message).join("; ");
  throw new Fail("replica_failed", `no LLM replica answered: ${reasons || "none is configured"}`);

  function move(from: string) {
    const failed = failures.map((failure) => failure.url);
    return balancer.move(job.job_id, job.deadline, from, failed);
  }
}
