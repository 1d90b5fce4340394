/**
 * The door of the line: a job is accepted once, and only while there is room.
 *
 * Whether it was seen, whether there is room, and the push are one script. So a push that is sent again after its
 * reply was lost finds its job already there, and no burst of gateways overfills the line.
 */

import type { Redis } from "ioredis";
import { COMPLETION_TTL_SECONDS, type EncoderIn, queues, type RedisNames } from "#contracts";
import admit from "./lua/admit.lua" with { type: "text" };
import { encode } from "./push.ts";

/** What is remembered of an accepted job. */
export interface AcceptedJob {
  readonly job_id: string;
  /** Epoch ms. */
  readonly deadline: number;
  /** Digest of what was asked: the same key for another question is a mistake. */
  readonly digest: string;
  /** The gateway that waits for it. */
  readonly reply_to: string;
}

export type Admitted =
  | { readonly kind: "admitted" }
  /** The same job came before; its answer is, or will be, under its own id. */
  | { readonly kind: "seen"; readonly job: AcceptedJob }
  /** How many jobs wait on the line, and how many have left it a second, of late; over all gateways. */
  | { readonly kind: "full"; readonly depth: number; readonly per_second: number };

/** What `admit.lua` counts over. */
const RATE_WINDOW_S = 10;

interface AdmissionCommands {
  queueAdmit(
    keys: number,
    ...keys_and_arguments: (string | number)[]
  ): Promise<[kind: Admitted["kind"], what: string | number, left?: string]>;
}

export class Admission {
  readonly #redis: Redis & AdmissionCommands;

  /** @param max_depth most jobs that wait on the line, over all of its queues. */
  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    private readonly max_depth: number,
  ) {
    redis.defineCommand("queueAdmit", { lua: admit });
    this.#redis = redis as Redis & AdmissionCommands;
  }

  /**
   * @param key what makes two pushes the same one: the client's idempotency key, or the job's own id.
   * @throws ContractError if the job does not fit; rejects as the connection does.
   */
  async admit(job: EncoderIn, key: string, digest: string): Promise<Admitted> {
    const { names } = this;
    const { job_id, deadline, reply_to } = job;
    const first = names.queue(queues.encoderIn.name);
    const further = [queues.retrieverIn, queues.llmIn].map(({ name }) => names.queue(name));
    const accepted = names.accepted(job_id);
    const keys = [first, key === job_id ? accepted : names.seen(key), accepted, ...further];
    const record: AcceptedJob = { job_id, deadline, digest, reply_to };
    const [kind, what, left = "0"] = await this.#redis.queueAdmit(
      keys.length,
      ...keys,
      encode(queues.encoderIn, job),
      JSON.stringify(record),
      Math.max(1, deadline - Date.now()) + COMPLETION_TTL_SECONDS * 1_000,
      this.max_depth,
      names.completion(""),
    );
    if (kind === "seen") return { kind, job: JSON.parse(String(what)) };
    if (kind === "full") return { kind, depth: Number(what), per_second: Number(left) / RATE_WINDOW_S };
    return { kind };
  }
}
