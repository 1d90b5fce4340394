/**
 * Which replica answers which job. All that it knows lies in Redis and every decision is one script, so that any number
 * of gateways and workers decide as one.
 *
 * The life of a job here:
 * 1. `reserve` at admission: a replica is chosen, and the job counted on it (`llm:load:<URL>`). The count is a lease
 *    that ends with the job's deadline: a crashed gateway's jobs leave it by themselves, and it cannot go negative.
 * 2. `dispatch`, when an LLM worker has it: the choice is confirmed, or the job moved to where there is a place now. If
 *    no replica has one, it waits: `onFreed` tells when to ask again.
 * 3. `finish`, when the call is over: what it tells of the replica is kept, and the count goes back; or, after a
 *    failure, the job stays counted and is dispatched again, to another replica.
 * 4. `release`, wherever its caller stops waiting. Safe to repeat.
 */

import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import { type BalancerCommands, type BalancerRedis, withBalancerScripts } from "./scripts.ts";
import type { BalancerSettings } from "./settings.ts";

/** A lease outlives its job's deadline by this, so that it is released rather than forgotten. */
const GRACE_MS = 5_000;

export type BreakerState = "closed" | "open" | "half-open";

/** A replica that a decision was made from, as it was then. Latency in ms. */
export interface Considered {
  readonly replica: string;
  readonly running: number;
  readonly room: number;
  readonly typical: number;
  readonly breaker: BreakerState;
}

/** A call that may be made now. */
export interface Call {
  readonly job_id: string;
  /** Unique: of two workers that have the same job, only the later one's counts. */
  readonly id: string;
  readonly url: string;
  /** It is the one that tries a half-open replica. */
  readonly probe: boolean;
  /** Whether the job was reserved on another replica. */
  readonly moved: boolean;
  /** What it was chosen from, where the settings say `explain`. */
  readonly considered?: readonly Considered[];
}

export type Dispatch =
  | { readonly kind: "go"; readonly call: Call }
  /** No place is free: ask again when told, or after `again_ms` at the latest. `open`: every breaker is. */
  | { readonly kind: "wait"; readonly reason: "full" | "open"; readonly again_ms: number }
  /** Every replica has failed this job. */
  | { readonly kind: "none" }
  /** The job is not counted any more: its caller has left. */
  | { readonly kind: "gone" };

export interface DispatchRequest {
  readonly job_id: string;
  /** Epoch ms. */
  readonly deadline: number;
  readonly reserved: string;
  /** `again` after a failure; `hedge` for a second call beside the job's own, under an id of its own. */
  readonly kind: "first" | "again" | "hedge";
  /** How long it has waited for a place by now, ms: then a slow replica is better than none. */
  readonly waited_ms: number;
  /** Replicas that have failed this job. */
  readonly failed: readonly string[];
}

export interface CallOutcome {
  /** `silent`: aborted since its replica hangs, as `silent` said, which has that replica's failure already. */
  readonly outcome: "ok" | "failed" | "silent" | "aborted";
  readonly latency_ms: number;
  /** Where there was a token, thoughts included. */
  readonly first_token_ms?: number;
  /** In UTF-16 code units: a longer prompt may be silent for longer. */
  readonly prompt_chars?: number;
  /** The job is to be dispatched again: it stays counted. */
  readonly again: boolean;
}

/** Of a call without a token yet: whether its replica hangs. */
export type Silence =
  | { readonly kind: "hangs"; readonly breaker: [before: BreakerState, after: BreakerState] }
  | { readonly kind: "look"; readonly again_ms: number }
  /** Too little is known of it to say, or hangs are not looked for. */
  | { readonly kind: "unknown" };

/** What is known of a replica. Latencies in ms. */
export interface ReplicaView {
  readonly url: string;
  readonly state: "active" | "draining";
  /** Jobs counted there, those that are not yet being worked on included. */
  readonly load: number;
  readonly running: number;
  /** Calls at once that it may have now. */
  readonly room: number;
  readonly latency: number;
  /** Geometric mean of late, which decides whether it is passed over. */
  readonly typical: number;
  readonly usual: number;
  /** Of its oldest call, ms. */
  readonly age: number;
  readonly good: number;
  readonly bad: number;
  readonly breaker: BreakerState;
  readonly open_until: number;
  /** Since when it hangs, epoch ms; 0 where it does not. */
  readonly hung_at: number;
}

export class NoReplica extends Error {
  override name = "NoReplica";
}

export class Balancer {
  readonly #redis: BalancerRedis;
  readonly #settings: string;

  /** @param configured base URLs that the configuration names; others are added at run time. */
  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    settings: BalancerSettings,
    private configured: readonly string[] = [],
  ) {
    this.#redis = withBalancerScripts(redis);
    this.#settings = JSON.stringify(settings);
  }

  /**
   * Chooses a replica for a job and counts it there until `deadline` (epoch ms). Resolves with its URL.
   * @throws NoReplica if none is active.
   */
  async reserve(job_id: string, deadline: number): Promise<string> {
    const url = await this.#known(() => this.#run("balancerReserve", job_id, deadline + GRACE_MS));
    if (typeof url !== "string") throw new NoReplica("no replica is active: see `bun run replicas`");
    return url;
  }

  async dispatch({
    job_id,
    deadline,
    reserved,
    kind,
    waited_ms,
    failed,
  }: DispatchRequest): Promise<Dispatch> {
    const id = crypto.randomUUID();
    const ends = deadline + GRACE_MS;
    const [verdict, what, more, considered] = (await this.#known(
      () => this.#run("balancerDispatch", job_id, id, ends, reserved, kind, Math.round(waited_ms), ...failed),
      (answer) => (answer as string[])[0] !== "none" || failed.length > 0,
    )) as ["go" | "wait" | "none" | "gone", string, string, string | null];
    switch (verdict) {
      case "go": {
        const call = { job_id, id, url: what, probe: more === "probe", moved: what !== reserved };
        return {
          kind: verdict,
          call: considered ? { ...call, considered: JSON.parse(considered) } : call,
        };
      }
      case "wait":
        return { kind: verdict, reason: more === "open" ? "open" : "full", again_ms: Number(what) };
      default:
        return { kind: verdict };
    }
  }

  /** Resolves with the state of the replica's breaker before and after. Safe to repeat. */
  async finish(
    call: Call,
    { outcome, latency_ms, again, first_token_ms = -1, prompt_chars = 0 }: CallOutcome,
  ): Promise<[BreakerState, BreakerState]> {
    const states = await this.#run(
      "balancerFinish",
      call.job_id,
      call.id,
      call.url,
      outcome,
      Math.round(latency_ms),
      again ? "again" : "last",
      Math.round(first_token_ms),
      prompt_chars,
    );
    return states as [BreakerState, BreakerState];
  }

  /** Whether a call that began `age_ms` ago and has no token yet is with a replica that hangs. */
  async silent({ url, id }: Call, age_ms: number, prompt_chars: number): Promise<Silence> {
    const [again, before, after] = (await this.#run(
      "balancerSilent",
      url,
      id,
      Math.round(age_ms),
      prompt_chars,
    )) as [string, BreakerState, BreakerState];
    const again_ms = Number(again);
    if (again_ms === 0) return { kind: "hangs", breaker: [before, after] };
    return again_ms < 0 ? { kind: "unknown" } : { kind: "look", again_ms };
  }

  /**
   * A replica gave a sign of life: a `token` of any call, or it is `well`, as it says when asked. Resolves with whether
   * it was taken to hang.
   */
  async alive(url: string, sign: "token" | "well"): Promise<boolean> {
    return (await this.#run("balancerAlive", url, sign)) === 1;
  }

  /**
   * Counts a job back, on the replica that it was reserved on or wherever it was moved. Safe to repeat.
   * @param reserved `undefined` where it is not known, as the reply of `reserve` was lost
   */
  async release(job_id: string, reserved: string | undefined): Promise<void> {
    await this.#run("balancerRelease", job_id, reserved ?? "");
  }

  /** Every replica that is not removed, by URL. */
  async view(): Promise<ReplicaView[]> {
    const view = await this.#known(
      () => this.#run("balancerView"),
      (json) => json !== "[]",
    );
    return JSON.parse(view as string);
  }

  /**
   * Makes the replicas that the configuration names known to all; what it named before and names no longer is forgotten.
   * What was added, drained or removed at run time stays so.
   */
  async sync(configured: readonly string[] = this.configured): Promise<void> {
    this.configured = configured;
    await this.#run("balancerSync", ...configured);
  }

  /** Adds, drains or removes a replica, for all gateways and workers. Resolves with whether it was known. */
  async change(url: string, state: "active" | "draining" | "removed"): Promise<boolean> {
    return (await this.#run("balancerChange", url, state)) !== null;
  }

  /** Replicas that nothing was heard of for `interval_ms`, and that nobody else asks now whether they are well. */
  async due(interval_ms: number): Promise<string[]> {
    return (await this.#run("balancerDue", interval_ms)) as string[];
  }

  /** Says that a replica was asked and is not well. Resolves as `finish` does. */
  async unwell(url: string, latency_ms: number): Promise<[BreakerState, BreakerState]> {
    return (await this.#run("balancerHealth", url, Math.round(latency_ms))) as [BreakerState, BreakerState];
  }

  /** Channel that tells when a place has come free, where somebody waits for one. */
  get freed(): string {
    return this.names.freed();
  }

  #run(name: keyof BalancerCommands, ...args: (string | number)[]) {
    const random = Math.floor(Math.random() * 0x7fffffff);
    return this.#redis[name](this.names.prefix(), this.#settings, random, ...args);
  }

  /** Redis forgets the replicas when it is emptied, and has not heard of them at first: then it is told. */
  async #known(ask: () => Promise<unknown>, knows: (answer: unknown) => boolean = Boolean): Promise<unknown> {
    const answer = await ask();
    if (knows(answer)) return answer;
    await this.sync();
    return ask();
  }
}
