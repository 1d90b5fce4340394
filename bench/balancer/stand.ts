/** A contender before replicas of its own, all real processes; rounds of questions to it. */
import { startProcess, type TestProcess } from "../../tests/support/process.ts";
import { distinctQuestion } from "../distinct-questions.ts";
import { arrivals } from "../loadtest/arrivals.ts";
import { Durations } from "../loadtest/durations.ts";
import { openLoop } from "../loadtest/open-loop.ts";
import type { Contender, Front } from "./contender.ts";
import { rateOf, replicaSettings, type Scenario, SLOTS } from "./scenario.ts";

/** Before a round is measured, ms: what a contender knows of the replicas is then of now. */
const WARM_UP_MS = 2_000;

/** Latencies in ms, from when a question was to be sent, of those that were answered. */
export interface Figures {
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
  readonly asked: number;
  readonly errors: number;
  /** What went wrong, and how often. */
  readonly reasons: Record<string, number>;
  /** Share of all answers that each replica gave, in %. */
  readonly shares: readonly number[];
}

export class Stand {
  private constructor(
    private readonly scenario: Scenario,
    private readonly replicas: readonly TestProcess[],
    private readonly urls: readonly string[],
    private readonly front: Front,
  ) {}

  static async start(contender: Contender, scenario: Scenario): Promise<Stand> {
    const replicas = replicaSettings(scenario).map((env) => startProcess("apps/mock-llm/main.ts", env));
    const listening = await Promise.all(replicas.map((replica) => replica.line('"msg":"listening"')));
    const urls = listening.map((line) => (JSON.parse(line) as { url: string }).url);
    return new Stand(scenario, replicas, urls, await contender.start(urls, SLOTS));
  }

  /** The same arrivals for the same seed, and every answer awaited. */
  async round(duration_ms: number, seed: number): Promise<Figures> {
    const latency = new Durations();
    const reasons: Record<string, number> = {};
    let errors = 0;
    const rate = rateOf(this.scenario);
    const ramp = { duration_ms: WARM_UP_MS + duration_ms, from: rate, to: rate };
    const before = await this.#served();
    const began = performance.now();
    const faults = this.#hang(duration_ms);
    await openLoop(
      { arrivals: arrivals([ramp], "poisson", seed), signal: new AbortController().signal },
      async (index, due_at) => {
        const error = await this.front.ask(distinctQuestion(index));
        if (due_at - began < WARM_UP_MS) return;
        if (error === undefined) latency.record(performance.now() - due_at);
        else {
          errors++;
          reasons[error] = (reasons[error] ?? 0) + 1;
        }
      },
    );
    await faults;
    const served = (await this.#served()).map((count, i) => count - before[i]!);
    const all = served.reduce((sum, count) => sum + count, 0);
    const at = (percent: number) => latency.percentile(percent) ?? Number.NaN;
    return {
      p50_ms: at(50),
      p95_ms: at(95),
      p99_ms: at(99),
      asked: latency.count + errors,
      errors,
      reasons,
      shares: served.map((count) => (100 * count) / all),
    };
  }

  async stop(): Promise<void> {
    this.replicas[0]!.child.kill("SIGCONT");
    await this.front.stop();
    await Promise.all(this.replicas.map((replica) => replica.stop()));
  }

  async #hang(duration_ms: number): Promise<void> {
    if (!this.scenario.hangs) return;
    const [from, to] = this.scenario.hangs;
    const { child } = this.replicas[0]!;
    await Bun.sleep(WARM_UP_MS + from * duration_ms);
    child.kill("SIGSTOP");
    await Bun.sleep((to - from) * duration_ms);
    child.kill("SIGCONT");
  }

  async #served(): Promise<number[]> {
    const stats = await Promise.all(this.urls.map((url) => fetch(`${url}/stats`)));
    return Promise.all(stats.map(async (one) => ((await one.json()) as { served: number }).served));
  }
}
