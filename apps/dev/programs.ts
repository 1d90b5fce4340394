/** The line as programs of this machine. */
import type { Static } from "@sinclair/typebox";
import type { devSettings } from "./config.ts";
import { freePort } from "./free-port.ts";
import type { Program } from "./supervisor.ts";

const WORKERS = ["llm_generator_1", "llm_generator_2", "llm_generator_3"];
const FIRST_MOCK_PORT = 11_501;
/** Shorter than what `bun run dev` may take to stop. */
const DRAIN_SECONDS = "3";

export interface MockReplica extends Program {
  readonly url: string;
}

export function mockReplicas(): MockReplica[] {
  return WORKERS.map((_, i) => {
    const port = freePort(FIRST_MOCK_PORT + i);
    return {
      url: `http://127.0.0.1:${port}`,
      ...app(`mock-llm-${i + 1}`, "apps/mock-llm/main.ts", "listening", {
        MOCK_PORT: String(port),
        MOCK_SEED: String(i + 1),
      }),
    };
  });
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
    app("gateway", "apps/gateway/main.ts", "listening", env),
  ];
}

function app(name: string, path: string, up: string, env: Record<string, string>): Program {
  return { name, command: [process.execPath, path], env, ready: (line) => line.includes(`"msg":"${up}"`) };
}
