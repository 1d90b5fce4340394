/** Ends jobs before they are done, wherever on the line they are. */

import type { Redis } from "ioredis";
import { DEFAULT_TENANT, type FailedCompletion, type RedisNames } from "#contracts";
import cancel from "./lua/cancel.lua" with { type: "text" };
import follow from "./lua/follow.lua" with { type: "text" };
import { Cancelled, Expired } from "./outcome.ts";

export type Cancelling =
  /** It is not handled from now on, and whoever waits for it is told. */
  | { readonly kind: "cancelled" }
  /** It was completed before, and its completion, as JSON, still lives. */
  | { readonly kind: "done"; readonly completion: string }
  /** No such job was accepted, or it was so long ago that it is forgotten. */
  | { readonly kind: "unknown" };

interface CancelCommands {
  queueCancel(
    accepted: string,
    completion: string,
    cancelled: string,
    ...rest: string[]
  ): Promise<[kind: Cancelling["kind"], completion?: string]>;
}

export class Canceller {
  readonly #redis: Redis & CancelCommands;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
  ) {
    redis.defineCommand("queueCancel", { lua: follow + cancel, numberOfKeys: 3 });
    this.#redis = redis as Redis & CancelCommands;
  }

  /**
   * @param tenant in whose name: another's job is `unknown`. Without one, whoever's it is.
   * Rejects as the connection does.
   */
  cancel(job_id: string, tenant = ""): Promise<Cancelling> {
    return this.#end(job_id, tenant, "cancelled", new Cancelled().message);
  }

  /** Ends a job whose deadline has passed while nobody worked on it, as expired. Rejects as the connection does. */
  async expire(job_id: string): Promise<void> {
    await this.#end(job_id, "", "expired", new Expired().message);
  }

  async #end(
    job_id: string,
    tenant: string,
    status: "cancelled" | "expired",
    message: string,
  ): Promise<Cancelling> {
    const { names } = this;
    const told: FailedCompletion = { job_id, status, stage: "gateway", code: status, message, timings: {} };
    const [kind, completion = ""] = await this.#redis.queueCancel(
      names.accepted(job_id),
      names.completion(job_id),
      names.cancelled(),
      job_id,
      JSON.stringify(told),
      names.done(""),
      tenant,
      DEFAULT_TENANT,
    );
    return kind === "done" ? { kind, completion } : { kind };
  }
}
