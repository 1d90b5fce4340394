/** The line as programs of this machine. */
import type { Static } from "@sinclair/typebox";
import type { devSettings } from "./config.ts";
import type { Program } from "./supervisor.ts";

const WORKERS = ["llm_generator_1", "llm_generator_2", "llm_generator_3"];
const FIRST_MOCK_PORT = 11_501;
/** Shorter than what `bun run dev` may take to stop. */
const DRAIN_SECONDS = "3";

export const MOCK_PORTS = WORKERS.map((_, i) => FIRST_MOCK_PORT + i);

export function mockReplica(port: number, number: number): Program {
  const env = { MOCK_PORT: String(port), MOCK_SEED: String(number) };
  return app(`mock-llm-${number}`, "apps/mock-llm/main.ts", "listening", env);
}

/** Every program that works on questions, given where Redis and the replicas are. */
export function line(
  config: Static<typeof devSettings>,
  redis_url: string,
  replicas: readonly string[],
): Program[] {
  const env = {
    REDIS_URL: redis_url,
    LLM_REPLICAS: replicas.join(","),
    DATA_DIR: config.DATA_DIR,
    PORT: String(config.PORT),
    METRICS_PORT: "0",
    DRAIN_SECONDS,
  };
  return [
    app("encoder", "apps/encoder/main.ts", "taking messages", env),
    app("retriever", "apps/retriever/main.ts", "taking messages", env),
    ...WORKERS.map((name) => app(name, "apps/llm/main.ts", "taking messages", { ...env, WORKER_NAME: name })),
    app("indexer", "apps/indexer/main.ts", "taking messages", env),
    app("webhooks", "apps/webhooks/main.ts", "taking messages", env),
    app("gateway", "apps/gateway/main.ts", "listening", env),
  ];
}

function app(name: string, path: string, up: string, env: Record<string, string>): Program {
  return { name, command: [process.execPath, path], env, ready: (line) => line.includes(`"msg":"${up}"`) };
}
