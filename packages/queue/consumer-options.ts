/** What a consumer is given, and what it tells. */

import type { Static, TSchema } from "@sinclair/typebox";
import type { Redis } from "ioredis";
import type { Completions, Queue, RedisNames, Stage, StageTiming } from "#contracts";
import type { Cancellations } from "./cancellations.ts";
import type { Completed } from "./outcome.ts";
import type { QueueRedis } from "./scripts.ts";

export interface HandlerContext {
  /** Fires when the last deadline among the jobs has passed, when all are cancelled or lost to another worker, and when this one stops. */
  readonly signal: AbortSignal;
  /** Says that the jobs have begun: a consumer that is paced may take the next. A handler that ends says so, too. */
  readonly begun: () => void;
}

/** What a batch handler says of one job: its result, that it ends here, or the error that it met. */
export type Outcome<T> = T | Completed | Error;

/** What happened, for logs and metrics. */
export type ConsumerEvent =
  | {
      kind: "done";
      job_id: string;
      outcome: "ok" | "error" | "expired" | "cancelled";
      timing: StageTiming;
      error?: Error;
    }
  /** The job is tried again after `delay_ms`. */
  | { kind: "retry"; job_id: string; attempt: number; delay_ms: number; error: Error }
  /** What consumers that died or froze held: given back to the retry lane, or dead. */
  | { kind: "reaped"; returned: number; buried: number }
  /** What this consumer adopted and lost when it compared what it knows with what Redis holds. */
  | { kind: "reconciled"; adopted: number; lost: number }
  | { kind: "dead"; job_id?: string; reason: string; letters: number }
  | { kind: "trouble"; error: Error };

export interface ConsumerOptions<In extends TSchema, Out extends TSchema> {
  /** Name of the stage: in timings, completions and dead letters. */
  readonly stage: Stage;
  readonly from: Queue<In>;
  readonly to: Queue<Out> | Completions<Out>;
  /** One outcome a job, in the jobs' order. If it rejects, that is the outcome of all of them. */
  readonly handle: (jobs: Static<In>[], context: HandlerContext) => Promise<Outcome<Static<Out>>[]>;
  /** Most jobs in one call of the handler. It never waits for more to come. */
  readonly batch: number;
  /** Calls of the handler at once. */
  readonly concurrency: number;
  /** Most messages held here, those that wait for the handler included; at most 64 keeps a settle cheap. */
  readonly prefetch: number;
  /**
   * How many messages to take at once, 1 at least, and the next only when the handler has begun with all of them: what
   * cannot begin yet stays in the queue, in order, for whichever consumer can begin first. Default: take as much as there is
   * room for.
   */
  readonly paced?: () => number;
  /** For commands and scripts; waits for Redis as long as it takes. */
  readonly redis: QueueRedis;
  /** For the command that waits at the server. */
  readonly blocking: Redis;
  readonly names: RedisNames;
  readonly lease: LeaseOptions;
  readonly cancellations: Cancellations;
  readonly observe: (event: ConsumerEvent) => void;
}

export interface LeaseOptions {
  /** Address of Redis: the heartbeat has a connection of its own. */
  readonly url: string;
  /** How long a consumer that shows no life keeps what it holds, ms. */
  readonly lease_ms: number;
  /** How often a message may be given back before it is a dead letter. */
  readonly max_deliveries: number;
  /** How long the main thread may be busy before it counts as hanging, ms. */
  readonly stall_ms: number;
}
