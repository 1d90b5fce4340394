/** A replica that hangs: what waits there is made again elsewhere, and it is used again the moment that it returns. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { Registry } from "prom-client";
import { Balancer, DEFAULT_SETTINGS } from "#balancer";
import { redisNames } from "#contracts";
import { createLogger } from "#runtime";
import { generate } from "../../../apps/llm/generate.ts";
import { HealthProbes } from "../../../apps/llm/health-probes.ts";
import { Hedging } from "../../../apps/llm/hedge.ts";
import { balancerMetrics } from "../../../apps/llm/metrics.ts";
import { Places } from "../../../apps/llm/places.ts";
import { type ReplicaApi, replicaClient } from "../../../apps/llm/replica/index.ts";
import { SilenceWatch } from "../../../apps/llm/silence.ts";
import { UNREAD } from "../../../apps/llm/token-streams.ts";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const never = new AbortController().signal;
const ANSWERS: Record<string, string> = {
  "/api/generate": `${JSON.stringify({ response: "yes", done: true })}\n`,
  "/v1/chat/completions":
    `data: ${JSON.stringify({ choices: [{ delta: { content: "yes" } }] })}\n\n` +
    `data: ${JSON.stringify({ choices: [{ delta: {}, finish_reason: "stop" }] })}\n\ndata: [DONE]\n\n`,
};

let server: TestRedis;
const ends: (() => unknown)[] = [];
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterAll(async () => {
  for (const end of ends) await end();
  await server.stop();
});

/** A replica that can be made to hang: then it takes requests, and answers them when it returns. */
class HangingReplica {
  calls = 0;
  aborted = 0;
  #returned = Promise.resolve();
  return = () => {};
  readonly #server = Bun.serve({
    port: 0,
    fetch: async (request) => {
      const { pathname } = new URL(request.url);
      const generates = pathname in ANSWERS;
      if (generates) this.calls++;
      request.signal.addEventListener("abort", () => this.aborted++);
      await this.#returned;
      return new Response(ANSWERS[pathname] ?? "{}");
    },
  });
  readonly url = this.#server.url.origin;

  hang(): void {
    const { promise, resolve } = Promise.withResolvers<void>();
    [this.#returned, this.return] = [promise, resolve];
  }

  async stop(): Promise<void> {
    this.return();
    await this.#server.stop(true);
  }
}

function workerOf(replicas: readonly HangingReplica[], api: ReplicaApi) {
  const urls = replicas.map(({ url }) => url);
  const balancer = new Balancer(server.client, redisNames(), DEFAULT_SETTINGS, urls);
  const subscriber = server.client.duplicate();
  const health = new HealthProbes({ balancer, path: "/health", interval_ms: 60_000, changed: () => {} });
  const hung: string[] = [];
  const generator = {
    balancer,
    client: replicaClient({ api, model: "m", first_token_ms: 30_000, between_tokens_ms: 30_000 }),
    places: new Places({ balancer, subscriber, all_open_ms: 0 }),
    hedging: new Hedging({ budget: 0, observe: () => {} }),
    silence: new SilenceWatch({
      balancer,
      on: true,
      hung: (url) => {
        hung.push(url);
        health.watchReturn(url);
      },
    }),
    metrics: balancerMetrics(new Registry()),
    log: createLogger("test", "silent"),
  };
  ends.push(
    () => subscriber.disconnect(),
    () => health.stop(),
    ...replicas.map((replica) => () => replica.stop()),
  );
  let jobs = 0;
  const ask = async (reserved?: string) => {
    const submitted_at = Date.now();
    const deadline = submitted_at + 60_000;
    const job_id = `job-${jobs++}`;
    const job = {
      job_id,
      query: "",
      top_k: 1,
      submitted_at,
      deadline,
      reply_to: "",
      timings: {},
      contexts: [],
      augmented_prompt: "A question.",
      selected_replica: await balancer.reserve(job_id, deadline),
    };
    if (reserved) {
      await balancer.release(job_id, job.selected_replica);
      job.selected_replica = reserved;
    }
    const { selected_replica } = await generate(generator, job, {
      signal: never,
      begun: () => {},
      tokens: UNREAD,
    });
    await balancer.release(job_id, job.selected_replica);
    return selected_replica;
  };
  return { ask, balancer, hung };
}

/** Enough for the first tokens of each replica to be known. */
async function warmUp({ ask }: ReturnType<typeof workerOf>, replicas: readonly HangingReplica[]) {
  while (replicas.some(({ calls }) => calls < 25)) await ask();
}

/** Asks until `over`; at least once. */
async function askUntil(ask: () => Promise<string>, over: () => boolean): Promise<string[]> {
  const answered: string[] = [];
  do answered.push(await ask());
  while (!over());
  return answered;
}

test.each(["ollama", "openai"] as const)(
  "%s: a call that waits at a replica which hangs is aborted, answered by another, and counted nowhere",
  async (api) => {
    const [a, b] = [new HangingReplica(), new HangingReplica()];
    const worker = workerOf([a, b], api);
    await warmUp(worker, [a, b]);
    a.hang();
    const calls = a.calls;
    const asking = [0, 1, 2].map(() => worker.ask(a.url));
    const others = await askUntil(worker.ask, () => worker.hung.length > 0);
    expect(new Set(await Promise.all(asking))).toEqual(new Set([b.url]));
    expect(others).not.toContain(a.url);
    expect(a.calls - calls).toBeGreaterThan(0);
    while (a.aborted < a.calls - calls) await Bun.sleep(1);
    const view = await worker.balancer.view();
    expect(view.map(({ load, running }) => [load, running])).toEqual([
      [0, 0],
      [0, 0],
    ]);
    // One failure, however many calls it held: no reason to open its breaker.
    expect(view.find(({ url }) => url === a.url)).toMatchObject({ breaker: "closed" });
    expect(view.find(({ url }) => url === a.url)!.bad).toBeLessThanOrEqual(1);
    // It is asked whether it is well, and answers when it returns.
    a.return();
    await askUntil(worker.ask, () => a.calls > calls + 5);
    expect((await worker.balancer.view()).every(({ hung_at }) => hung_at === 0)).toBe(true);
  },
);
