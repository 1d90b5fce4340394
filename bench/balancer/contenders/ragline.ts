/** Ragline: gateway and LLM workers are the real ones, before an encoder and a retriever that answer at once. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PolicyName } from "#balancer";
import { startProcess } from "../../../tests/support/process.ts";
import { startRedis } from "../../../tests/support/redis.ts";
import { type Contender, post } from "../contender.ts";

const WORKERS = ["llm_generator_1", "llm_generator_2"];

/** @param hedge_budget share of requests that may be hedged, 0 to 0.5. */
export function ragline(policy: PolicyName, hedge_budget: number): Contender {
  return {
    name: hedge_budget > 0 ? `${policy}, hedged` : policy,
    async start(replicas, slots) {
      const directory = mkdtempSync(join(tmpdir(), "ragline-bench-"));
      const redis = await startRedis();
      const env = {
        REDIS_URL: redis.url,
        LLM_REPLICAS: replicas.join(","),
        LLM_REPLICA_LIMIT: String(slots),
        BALANCER: policy,
        HEDGE_BUDGET: String(hedge_budget),
        DATA_DIR: directory,
        PORT: "0",
        METRICS_PORT: "0",
        DRAIN_SECONDS: "1",
        LOG_LEVEL: "info",
      };
      const workers = [
        startProcess("bench/programs/instant-stage.ts", env, ["encoder"]),
        startProcess("bench/programs/instant-stage.ts", env, ["retriever"]),
        ...WORKERS.map((name) => startProcess("apps/llm/main.ts", { ...env, WORKER_NAME: name })),
      ];
      const gateway = startProcess("apps/gateway/main.ts", env);
      const listening = await gateway.line('"msg":"listening"');
      await Promise.all(workers.map((worker) => worker.line("taking messages")));
      const url = `${(JSON.parse(listening) as { url: string }).url}/query`;
      return {
        ask: (query) => post(url, { query }, () => true), // a 200 of the gateway is a whole answer
        async stop() {
          await Promise.all([gateway, ...workers].map((process) => process.stop()));
          await redis.stop();
          rmSync(directory, { recursive: true, force: true });
        },
      };
    },
  };
}
