/** The whole line as real processes, by the commands that Docker Compose runs too. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ErrorBody, QueryAnswer } from "#contracts";
import { ensureModel } from "#embedding";
import { type MockReplica, startMockReplica } from "./mock-replica.ts";
import { startProcess, type TestProcess } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";

export interface TestLine {
  readonly url: string;
  readonly redis: TestRedis;
  readonly replicas: readonly MockReplica[];
  readonly processes: ReadonlyMap<string, TestProcess>;
  /** POST /query, whatever comes back. */
  ask(body: unknown, init?: RequestInit): Promise<Reply>;
  /** Loads of the replicas, as `redis-cli GET` shows them; absent is 0. */
  loads(): Promise<number[]>;
  stop(): Promise<void>;
}

export interface Reply {
  readonly status: number;
  readonly headers: Headers;
  /** An answer or an error, by `status`. */
  readonly body: QueryAnswer & ErrorBody;
}

export interface LineOptions {
  /** Environment of each mock replica: as many as there are entries. */
  readonly replicas?: readonly Record<string, string>[];
  /** LLM workers: 1, unless there should be more. */
  readonly workers?: number;
  /** Files and folders to answer from. */
  readonly documents?: readonly string[];
  /** For every app. */
  readonly env?: Record<string, string>;
  /** In place of the LLM workers: a program and its arguments. */
  readonly llm?: readonly [path: string, ...args: string[]];
  /** Put before the command of an app: `taskset -c 0`. */
  readonly launcher?: (app: string) => readonly string[];
}

const MODEL_DIR = ".models";
const QUICK = { MOCK_DELAY_MS: "5" };

export async function startLine(options: LineOptions = {}): Promise<TestLine> {
  const {
    replicas: settings = [QUICK, QUICK, QUICK],
    workers: llm_workers = 1,
    documents = [],
    env = {},
    launcher = () => [],
  } = options;
  const data_dir = mkdtempSync(join(tmpdir(), "ragline-"));
  await ensureModel({ directory: MODEL_DIR });
  const [redis, ...replicas] = await Promise.all([
    startRedis(),
    ...settings.map((one) => startMockReplica(one)),
  ]);
  const shared = {
    REDIS_URL: redis.url,
    LLM_REPLICAS: replicas.map((replica) => replica.url).join(","),
    DATA_DIR: data_dir,
    MODEL_DIR,
    PORT: "0",
    METRICS_PORT: "0",
    DRAIN_SECONDS: "2",
    ...env,
  };
  if (documents.length > 0) {
    const ingest = startProcess("apps/indexer/ingest.ts", shared, [...documents]);
    if ((await ingest.child.exited) !== 0) throw new Error(ingest.stderr());
  }
  const processes = new Map<string, TestProcess>();
  const start = (name: string, path: string, more: Record<string, string> = {}, args: string[] = []) => {
    processes.set(name, startProcess(path, { ...shared, ...more }, args, launcher(name)));
    return processes.get(name)!;
  };
  start("encoder", "apps/encoder/main.ts");
  start("retriever", "apps/retriever/main.ts");
  if (options.llm) {
    const [path, ...args] = options.llm;
    start("llm", path, {}, args);
  } else {
    for (let i = 1; i <= llm_workers; i++) {
      start(`llm_generator_${i}`, "apps/llm/main.ts", { WORKER_NAME: `llm_generator_${i}` });
    }
  }
  const workers = [...processes.values()];
  const listening = await start("gateway", "apps/gateway/main.ts").line('"msg":"listening"');
  await Promise.all(workers.map((worker) => worker.line("taking messages")));
  const { url } = JSON.parse(listening) as { url: string };

  return {
    url,
    redis,
    replicas,
    processes,
    ask: (body, init) => ask(url, body, init),
    async loads() {
      return (await redis.client.mget(replicas.map((replica) => `llm:load:${replica.url}`))).map(Number);
    },
    async stop() {
      await Promise.all([...processes.values()].map((process) => process.stop()));
      await Promise.all([redis.stop(), ...replicas.map((replica) => replica.stop())]);
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

export async function ask(url: string, body: unknown, init: RequestInit = {}): Promise<Reply> {
  const response = await fetch(`${url}/query`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: typeof body === "string" ? body : JSON.stringify(body),
    ...init,
  });
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Reply["body"],
  };
}
