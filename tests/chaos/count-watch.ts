/**
 * Holds the counts of replicas against the truth, again and again while a run goes on.
 *
 * The truth: a job is counted, on one replica, from its reservation until its call is over or its caller has left; so
 * what is counted are the jobs on the line that are neither completed nor expired. A sample is one script, so nothing
 * moves while it is taken. In each:
 * - the number is that of the leases behind it, no job is counted twice, and whatever runs is counted: exactly.
 * - the jobs that are counted are those on the line, but for the ones between two steps, which are two scripts: one is
 *   reserved and then admitted, counted back and then completed. That lasts for a moment; only where the process was
 *   killed that was between the two may it last longer: a job on the line that is not counted, until another worker has
 *   taken it over; a reservation of a dead gateway, until its lease ends.
 */
import type { Redis } from "ioredis";
import { queues } from "#contracts";
import sampleScript from "./count-sample.lua" with { type: "text" };
import { LEASE_MS } from "./scenarios.ts";

const EVERY_MS = 100;
/** What stays between two steps for longer stays there, however busy the machine. */
const STEP_MS = 2 * LEASE_MS;
const EXAMPLES = 3;

export interface CountsReport {
  readonly samples: number;
  /** The highest count of all replicas together. */
  readonly most_counted: number;
  /** Most jobs between two steps in one sample, and the longest time for which one was, ms. */
  readonly most_between: number;
  readonly longest_between_ms: number;
  /** Counted by gateways that were killed, and by nothing but their leases counted back. */
  readonly orphans: number;
  /** In words; none if each count equalled the truth at every sample. */
  readonly problems: readonly string[];
}

interface Sample {
  readonly now: number;
  readonly replicas?: readonly {
    readonly url: string;
    readonly load: number;
    readonly counted?: readonly string[];
    readonly running?: readonly string[];
  }[];
  readonly live?: readonly string[];
  readonly done?: readonly string[];
}

export class CountWatch {
  #samples = 0;
  #most_counted = 0;
  #most_between = 0;
  #longest_between_ms = 0;
  readonly #orphans = new Set<string>();
  readonly #problems = new Map<string, string>();
  /** Since when a job is between two steps, by what it is and its id. */
  #between = new Map<string, number>();
  /** When a job that is counted, or on the line, was first seen; and when a gateway, and when any program, died last. */
  #seen = new Map<string, number>();
  readonly #died = { gateway: { count: 0, at: -1 }, any: { count: 0, at: -1 } };
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  /** @param deaths how many gateways, and how many programs of any kind, have died by now */
  constructor(
    private readonly redis: Redis,
    private readonly deaths: Readonly<Record<"gateway" | "any", () => number>>,
  ) {}

  start(): void {
    this.#running = this.#run();
  }

  async stop(): Promise<CountsReport> {
    this.#stopped = true;
    await this.#running;
    const problems = [...this.#problems.values()];
    return {
      samples: this.#samples,
      most_counted: this.#most_counted,
      most_between: this.#most_between,
      longest_between_ms: Math.round(this.#longest_between_ms),
      orphans: this.#orphans.size,
      problems: problems.length > EXAMPLES ? [...problems.slice(0, EXAMPLES), "..."] : problems,
    };
  }

  async #run(): Promise<void> {
    const line = [queues.encoderIn, queues.retrieverIn, queues.llmIn].map(({ name }) => name);
    while (!this.#stopped) {
      const json = await this.redis.eval(sampleScript, 0, ...line).catch(() => undefined);
      if (typeof json === "string") this.compare(JSON.parse(json));
      await Bun.sleep(EVERY_MS);
    }
  }

  /** @param sample as `count-sample.lua` takes it */
  compare({ now, replicas = [], live = [], done = [] }: Sample): void {
    this.#samples++;
    for (const kind of ["gateway", "any"] as const) {
      const count = this.deaths[kind]();
      if (count > this.#died[kind].count) this.#died[kind] = { count, at: now };
    }
    const counted = new Map<string, number>();
    for (const { url, load, counted: leases = [], running = [] } of replicas) {
      const on = new Map<string, number>();
      for (let i = 0; i < leases.length; i += 2) on.set(leases[i]!, Number(leases[i + 1]));
      if (load !== on.size) this.#wrong(url, `${url} counts ${load} jobs, and has ${on.size} leases`);
      for (const [job, ends] of on) {
        if (counted.has(job)) this.#wrong(job, `${job} is counted on two replicas`);
        counted.set(job, ends);
      }
      for (const job of running) {
        if (!on.has(job)) this.#wrong(job, `${job} runs on ${url}, and is not counted there`);
      }
    }
    this.#most_counted = Math.max(this.#most_counted, counted.size);
    this.#followThoseBetween(now, counted, new Set(live), new Set(done));
  }

  #followThoseBetween(
    now: number,
    counted: ReadonlyMap<string, number>,
    live: ReadonlySet<string>,
    done: ReadonlySet<string>,
  ): void {
    const [seen, between] = [this.#seen, this.#between];
    this.#seen = new Map([...live, ...counted.keys()].map((job) => [job, seen.get(job) ?? now]));
    this.#between = new Map();
    /** Whether it stays between two steps, though nobody died who was to make the second. */
    const stays = (what: string, job: string, died_at: number): boolean => {
      const key = `${what} ${job}`;
      const since = between.get(key) ?? now;
      this.#between.set(key, since);
      const excused = this.#seen.get(job)! <= died_at;
      if (!excused) this.#longest_between_ms = Math.max(this.#longest_between_ms, now - since);
      if (now - since <= STEP_MS) return false;
      if (!excused) this.#wrong(key, `${job} is ${what}, for ${now - since} ms`);
      return true;
    };
    for (const job of live) {
      if (!counted.has(job)) stays("on the line and counted nowhere", job, this.#died.any.at);
    }
    for (const [job, ends] of counted) {
      if (live.has(job)) continue;
      const what = done.has(job) ? "completed and counted" : "counted and not on the line";
      if (stays(what, job, this.#died.gateway.at)) this.#orphans.add(job);
      if (now > ends + STEP_MS) this.#wrong(job, `${job} is counted past its lease`);
    }
    this.#most_between = Math.max(this.#most_between, this.#between.size);
  }

  #wrong(of: string, problem: string): void {
    if (!this.#problems.has(of)) this.#problems.set(of, problem);
  }
}
