/** The programs of a run: workers of every stage; with gateways, these, real LLM workers and mock replicas too. */
import type { MockStats } from "../../apps/mock-llm/generation.ts";
import { Program, type ProgramOptions } from "./program.ts";
import { type GatewayScenario, LEASE_MS, type Scenario, WORKERS_PER_STAGE } from "./scenarios.ts";

const GATEWAYS = 2;
const REPLICAS = 4;

/** After which an LLM worker gives up on a replica that hangs: late enough for a busy machine. */
const SILENCE_MS = "2000";

export interface Gateway {
  readonly program: Program;
  /** Where it listens now: each process has a port of its own. */
  readonly url: string;
  /** How many questions wait there. */
  waiting: number;
}

export interface Line {
  readonly workers: readonly Program[];
  /** None where callers push jobs themselves. */
  readonly gateways: readonly Gateway[];
  readonly replicas: readonly Program[];
  /** Resolves when every program is ready. */
  up(): Promise<void>;
  /** Calls that replicas are at. */
  calls(): Promise<number>;
  stop(): Promise<void>;
}

export function startLine(
  scenario: Scenario,
  seed: number,
  redis_url: string,
  failed: (error: Error) => void,
): Line {
  const env = {
    REDIS_URL: redis_url,
    LEASE_MS: `${LEASE_MS}`,
    DRAIN_SECONDS: "2",
    METRICS_PORT: "0",
    LOG_LEVEL: "info",
  };
  const start = (name: string, path: string, ready: string, more: Partial<ProgramOptions> = {}) =>
    new Program({ name, path, ready, failed, ...more, env: { ...env, ...more.env } });
  const several = <T>(count: number, one: (i: number) => T) =>
    Array.from({ length: count }, (_, i) => one(i));
  const stage = (name: string) => () =>
    start(name, "tests/chaos/stage.ts", "taking messages", { args: [name] });

  const { gateway } = scenario;
  const ports = several(gateway ? REPLICAS : 0, () => portForGood());
  const replicas = ports.map((port, i) =>
    start("replica", "apps/mock-llm/main.ts", "listening", {
      env: {
        ...replicaSettings(gateway),
        MOCK_PORT: `${port}`,
        MOCK_SEED: `${seed + i}`,
      },
    }),
  );
  const LLM_REPLICAS = ports.map((port) => `http://127.0.0.1:${port}`).join(",");
  const llm = (i: number) =>
    start("llm", "apps/llm/main.ts", "taking messages", {
      env: {
        LLM_REPLICAS,
        WORKER_NAME: `llm_generator_${i + 1}`,
        LLM_CONCURRENCY: "64",
        LLM_FIRST_TOKEN_MS: SILENCE_MS,
        LLM_BETWEEN_TOKENS_MS: SILENCE_MS,
      },
    });
  const workers = [
    ...several(WORKERS_PER_STAGE, stage("encoder")),
    ...several(WORKERS_PER_STAGE, stage("retriever")),
    ...several(WORKERS_PER_STAGE, gateway ? llm : stage("llm")),
  ];
  const gateways = several(gateway ? GATEWAYS : 0, (): Gateway => {
    const QUERY_TIMEOUT_MS = `${gateway?.timeout_ms}`;
    const program = start("gateway", "apps/gateway/main.ts", '"msg":"listening"', {
      env: { LLM_REPLICAS, QUERY_TIMEOUT_MS, PORT: "0" },
    });
    return {
      program,
      waiting: 0,
      get url() {
        return JSON.parse(program.announced).url;
      },
    };
  });
  const all = [...replicas, ...workers, ...gateways.map(({ program }) => program)];
  return {
    workers,
    gateways,
    replicas,
    async up() {
      await Promise.all(all.map((program) => program.up()));
    },
    async calls() {
      const stats = await Promise.all(
        ports.map(async (port) => {
          const response = await fetch(`http://127.0.0.1:${port}/stats`);
          return (await response.json()) as MockStats;
        }),
      );
      return stats.reduce((sum, { in_flight, waiting }) => sum + in_flight + waiting, 0);
    },
    async stop() {
      await Promise.all(all.map((program) => program.stop()));
    },
  };
}

function replicaSettings({ replica_faults = 0, cut_streams }: Partial<GatewayScenario> = {}) {
  return {
    MOCK_DELAY_MS: "20",
    MOCK_JITTER_MS: "60",
    MOCK_CONCURRENCY: "256",
    MOCK_FAILURE_RATE: `${replica_faults}`,
    MOCK_HANG_RATE: `${replica_faults}`,
    MOCK_CUT_RATE: `${cut_streams ?? replica_faults}`,
    MOCK_GARBAGE_RATE: `${replica_faults}`,
  };
}

/** A free port below those that outgoing connections get: whoever listens there can be killed and find it free again. */
function portForGood(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 10_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // taken
    }
  }
}
