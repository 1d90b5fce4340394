/**
 * The door of the line: a job is accepted once, and only while there is room and its deadline can be met.
 *
 * Whether it was seen, whether there is room, how long it would take, and the push are one script. So a push that is sent again after its
 * reply was lost finds its job already there, and no burst of gateways overfills the line.
 */

import type { Static, TSchema } from "@sinclair/typebox";
import type { Redis } from "ioredis";
import {
  COMPLETION_TTL_SECONDS,
  DEFAULT_TENANT,
  type Envelope,
  type Queue,
  queues,
  type RedisNames,
} from "#contracts";
import admit from "./lua/admit.lua" with { type: "text" };
import expectedWait from "./lua/expected_wait.lua" with { type: "text" };
import lanes from "./lua/lanes.lua" with { type: "text" };
import { encode } from "./push.ts";
import { turnOf } from "./turn.ts";

/** What is remembered of an accepted job. */
export interface AcceptedJob {
  readonly job_id: string;
  /** Epoch ms. */
  readonly deadline: number;
  /** Digest of what was asked: the same key for another question is a mistake. */
  readonly digest: string;
  /** The gateway that waits for it. */
  readonly reply_to: string;
  /** Whose job it is: for others there is no such job. */
  readonly tenant: string;
}

export type Admitted =
  | { readonly kind: "admitted" }
  /** The same job came before; its answer is, or will be, under its own id. */
  | { readonly kind: "seen"; readonly job: AcceptedJob }
  /** How many jobs wait on the line, and how many have left it a second, of late; over all gateways. */
  | { readonly kind: "full"; readonly depth: number; readonly per_second: number }
  /** Those before it need longer than they may, for `over_ms` from now if nobody else comes. */
  | { readonly kind: "overloaded"; readonly over_ms: number };

/** What `admit.lua` counts over. */
const RATE_WINDOW_S = 10;

/** What is written in the same step as the push: of the newest job of whatever the job is about. */
export interface Note {
  /** Key of a hash, in place of what it held. */
  readonly key: string;
  readonly fields: object;
  readonly ttl_ms: number;
  /** Key of a sorted set to which `member` is added, with score 0. */
  readonly listed_in?: string;
  readonly member?: string;
}

interface AdmissionCommands {
  queueAdmit(
    keys: number,
    ...keys_and_arguments: (string | number)[]
  ): Promise<[kind: Admitted["kind"], what: string | number, figure?: string]>;
}

/** The queues of a line, the one that jobs enter by first. */
export type LineQueues<S extends TSchema> = readonly [first: Queue<S>, ...further: Queue[]];

export const questionLine = [queues.encoderIn, queues.retrieverIn, queues.llmIn] as const;

export class Admission<S extends TSchema = typeof queues.encoderIn.message.schema> {
  readonly #redis: Redis & AdmissionCommands;

  /**
   * @param max_depth most jobs that wait on the line, over all of its queues.
   * @param wait_share most of a job's time that may be needed, by what the line did of late, before it is done; 0 for no
   *   such limit.
   */
  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    private readonly line: LineQueues<S>,
    private readonly max_depth: number,
    private readonly wait_share = 0,
  ) {
    redis.defineCommand("queueAdmit", { lua: `${lanes}\n${expectedWait}\n${admit}` });
    this.#redis = redis as Redis & AdmissionCommands;
  }

  /** An accepted job, for as long as its answer may still be asked for. Rejects as the connection does. */
  async find(job_id: string): Promise<AcceptedJob | undefined> {
    const record = await this.#redis.get(this.names.accepted(job_id));
    return record ? JSON.parse(record) : undefined;
  }

  /**
   * @param key what makes two pushes the same one: the client's idempotency key, or the job's own id.
   * @throws ContractError if the job does not fit; rejects as the connection does.
   */
  async admit(job: Static<S> & Envelope, key: string, digest: string, note?: Note): Promise<Admitted> {
    const { names } = this;
    const { job_id, deadline, reply_to, tenant = DEFAULT_TENANT } = job;
    const [entry, ...others] = this.line;
    const further = others.map(({ name }) => names.queue(name));
    const accepted = names.accepted(job_id);
    const keys = [names.queue(entry.name), key === job_id ? accepted : names.seen(key), accepted, ...further];
    const record: AcceptedJob = { job_id, deadline, digest, reply_to, tenant };
    const remaining_ms = Math.max(1, deadline - Date.now());
    const [kind, what, figure = "0"] = await this.#redis.queueAdmit(
      keys.length,
      ...keys,
      encode(entry, job),
      JSON.stringify(record),
      remaining_ms + COMPLETION_TTL_SECONDS * 1_000,
      this.max_depth,
      names.completion(""),
      ...turnOf(job),
      this.wait_share > 0 ? this.wait_share * remaining_ms : "",
      ...(note ? [note.key, note.ttl_ms, note.listed_in ?? "", note.member ?? "", ...fieldsOf(note)] : []),
    );
    if (kind === "seen") return { kind, job: JSON.parse(String(what)) };
    if (kind === "full") return { kind, depth: Number(what), per_second: Number(figure) / RATE_WINDOW_S };
    if (kind === "overloaded") return { kind, over_ms: Number(figure) };
    return { kind };
  }
}

function fieldsOf({ fields }: Note): string[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .flatMap(([name, value]) => [name, String(value)]);
}
