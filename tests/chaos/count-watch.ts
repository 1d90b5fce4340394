/**
 * Holds the counts of replicas against the truth, again and again while a run goes on.
 *
 * The truth: a job is counted, on one replica, from its reservation until its call is over or its caller has left; so
 * what is counted are the jobs on the line that are neither completed nor expired. A sample is one script, so nothing
 * moves while it is taken. In each:
 * - the number is that of the leases behind it, no job is counted twice, and whatever runs is counted: exactly.
 * - the jobs that are counted are those on the line, but for the ones between two steps, which are two scripts: it is
 *   reserved and then admitted, counted back and then completed. That lasts for a moment, or, where the process that was
 *   between the two was killed, until the lease ends that was to make it good: its job's message is another's after
 *   `LEASE_MS`, its reservation that was never admitted ends with its deadline.
 */
import type { Redis } from "ioredis";
import { queues } from "#contracts";
import sampleScript from "./count-sample.lua" with { type: "text" };
import { LEASE_MS } from "./scenarios.ts";

const EVERY_MS = 100;
/** A step takes longer than this on no machine that keeps its leases. */
const STEP_MS = LEASE_MS;
/** A job whose worker was killed after it was counted back: until another worker has it. */
const TAKEN_OVER_MS = 3 * LEASE_MS;
const EXAMPLES = 3;

export interface CountsReport {
  readonly samples: number;
  /** The highest count of all replicas together. */
  readonly most_counted: number;
  /** Most jobs between two steps in one sample, and the longest time for which one was, ms. */
  readonly most_between: number;
  readonly longest_between_ms: number;
  /** Reservations of killed gateways that were never admitted, and ended with their deadlines. */
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
  readonly admitted?: readonly string[];
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
  #stopped = false;
  #running: Promise<void> = Promise.resolve();

  constructor(private readonly redis: Redis) {}

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
  compare({ now, replicas = [], live = [], admitted = [], done = [] }: Sample): void {
    this.#samples++;
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
    this.#followThoseBetween(now, counted, new Set(live), new Set(admitted), new Set(done));
  }

  #followThoseBetween(
    now: number,
    counted: ReadonlyMap<string, number>,
    live: ReadonlySet<string>,
    admitted: ReadonlySet<string>,
    done: ReadonlySet<string>,
  ): void {
    const before = this.#between;
    this.#between = new Map();
    const follow = (what: string, job: string, most_ms: number) => {
      const key = `${what} ${job}`;
      const since = before.get(key) ?? now;
      this.#between.set(key, since);
      if (now - since > most_ms) this.#wrong(key, `${job} is ${what}, for ${now - since} ms`);
      this.#longest_between_ms = Math.max(this.#longest_between_ms, now - since);
    };
    for (const job of live) {
      if (!counted.has(job)) follow("on the line and counted nowhere", job, TAKEN_OVER_MS);
    }
    for (const [job, ends] of counted) {
      if (live.has(job)) continue;
      const what = done.has(job) ? "completed and counted" : "counted and not on the line";
      const since = before.get(`${what} ${job}`) ?? now;
      if (admitted.has(job) || now - since <= STEP_MS) follow(what, job, STEP_MS);
      else {
        // Its gateway was killed before it was admitted: nobody but its lease can tell.
        this.#between.set(`${what} ${job}`, since);
        this.#orphans.add(job);
        if (now > ends + STEP_MS) this.#wrong(job, `${job} is counted past its lease`);
      }
    }
    this.#most_between = Math.max(this.#most_between, this.#between.size);
  }

  #wrong(of: string, problem: string): void {
    if (!this.#problems.has(of)) this.#problems.set(of, problem);
  }
}
