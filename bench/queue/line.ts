/** A contender's line as real processes: one a stage, and one client. */
import type { TestRedis } from "../../tests/support/redis.ts";
import type { ContenderName } from "./contenders/index.ts";
import { Member } from "./member.ts";
import { type Size, STAGES } from "./workload.ts";

/** Jobs sent and not yet answered while a line is saturated: each of the 48 handlers has work, and some waits before it. */
export const IN_FLIGHT = 256;

export interface Saturated {
  readonly jobs_per_s: number;
  /** All processes of the contender and Redis, user and system. */
  readonly cpu_ms_per_job: number;
}

export interface Idle {
  readonly p50_ms: number;
  readonly p99_ms: number;
}

export type Figures = Saturated & Idle;

export class BenchLine {
  readonly #members: Member[];
  readonly #client: Member;

  private constructor(
    private readonly redis: TestRedis,
    contender: ContenderName,
    size: Size,
  ) {
    this.#client = new Member("bench/programs/queue-client.ts", [contender, size, redis.url]);
    const stages = STAGES.map(
      (stage) => new Member("bench/programs/queue-stage.ts", [contender, stage, size, redis.url]),
    );
    this.#members = [this.#client, ...stages];
  }

  static async start(redis: TestRedis, contender: ContenderName, size: Size): Promise<BenchLine> {
    const line = new BenchLine(redis, contender, size);
    await Promise.all(line.#members.map((member) => member.ready));
    return line;
  }

  async saturate(jobs: number): Promise<Saturated> {
    const cpu_before = await this.#cpu();
    const started = performance.now();
    await this.#client.run({ jobs, in_flight: IN_FLIGHT });
    const elapsed_s = (performance.now() - started) / 1_000;
    return { jobs_per_s: jobs / elapsed_s, cpu_ms_per_job: ((await this.#cpu()) - cpu_before) / jobs };
  }

  /** One job at a time, end to end. */
  async idle(jobs: number): Promise<Idle> {
    const took_ms = (await this.#client.run({ jobs, in_flight: 1 })).sort((a, b) => a - b);
    const at = (share: number) => took_ms[Math.min(jobs - 1, Math.floor(jobs * share))]!;
    return { p50_ms: at(0.5), p99_ms: at(0.99) };
  }

  async stop(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.stop()));
  }

  async #cpu(): Promise<number> {
    const processes = await Promise.all(this.#members.map((member) => member.cpu()));
    const info = await this.redis.client.info("cpu");
    const seconds = ["used_cpu_sys", "used_cpu_user"].map((name) =>
      Number(info.match(`${name}:([0-9.]+)`)?.[1]),
    );
    return [...processes, ...seconds.map((s) => 1_000 * s)].reduce((sum, ms) => sum + ms, 0);
  }
}
