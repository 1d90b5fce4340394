/** `bun run dev`: Redis and the whole line on this machine, over the corpus that ships with it. */
import { join } from "node:path";
import { configOrExit, openConfiguredStore } from "#runtime";
import { devSettings } from "./config.ts";
import { lockDataDir } from "./data-lock.ts";
import { freePort, tryListen } from "./free-port.ts";
import { line, mockReplicas } from "./programs.ts";
import { redisServer } from "./redis-server.ts";
import { Supervisor } from "./supervisor.ts";

const REDIS_PORT = 6379;
/** Ctrl-C to all stopped: workers first, then Redis, which they put back into. */
const WORKERS_STOP_MS = 4_000;
const REDIS_STOP_MS = 800;

const started = performance.now();
const config = configOrExit(devSettings);
if (tryListen(config.PORT) === undefined) leave(`port ${config.PORT} is taken: set PORT to a free one`);
let unlock = () => {};
try {
  unlock = lockDataDir(config.DATA_DIR);
} catch (error) {
  leave((error as Error).message);
}
const supervisor = new Supervisor(join(config.DATA_DIR, "logs"), (program, text) =>
  console.error(`[${program}] ${text}`),
);

let stopping = false;
async function stop(code: number): Promise<never> {
  if (!stopping) {
    stopping = true;
    await supervisor.stop(WORKERS_STOP_MS, ["redis"]);
    await supervisor.stop(REDIS_STOP_MS);
    unlock();
  }
  process.exit(code);
}
process.on("SIGINT", () => stop(0));
process.on("SIGTERM", () => stop(0));

try {
  const redis_port = config.REDIS_URL ? 0 : freePort(REDIS_PORT);
  const redis_url = config.REDIS_URL ?? `redis://127.0.0.1:${redis_port}`;
  const mocks = config.LLM_REPLICAS ? [] : mockReplicas();
  const replicas = config.LLM_REPLICAS ?? mocks.map((mock) => mock.url);
  const redis = config.REDIS_URL ? [] : [await redisServer(config.DATA_DIR, redis_port)];
  const programs = [...redis, ...mocks, ...line(config, redis_url, replicas)];
  await Promise.all([loadCorpus(), ...programs.map((program) => supervisor.start(program))]);
  const took = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`
Ragline is up, after ${took} s.
  gateway    http://localhost:${config.PORT}  (Swagger UI: http://localhost:${config.PORT}/swagger)
  redis      ${redis_url}${config.REDIS_URL ? "" : `  (its data: ${config.DATA_DIR}/redis)`}
  replicas   ${replicas.join(" ")}${mocks.length > 0 ? "  (mock ones: set LLM_REPLICAS for real ones)" : ""}
  store      ${config.QDRANT_URL ?? join(config.DATA_DIR, "ragline.sqlite")}
  logs       ${config.DATA_DIR}/logs

Ask it something:
  curl -X POST localhost:${config.PORT}/query -H 'content-type: application/json' -d '{"query":"What is machine learning?"}'

Ctrl-C stops all of it.`);
} catch (error) {
  console.error((error as Error).message);
  await stop(1);
}

/** At the first start the store is empty: the corpus that ships with the project goes in. */
async function loadCorpus(): Promise<void> {
  const store = openConfiguredStore(config, true);
  const { documents } = await store.info();
  await store.close();
  if (documents > 0) return;
  const ingest = Bun.spawn([process.execPath, "apps/indexer/ingest.ts", "corpus"], {
    stdin: "ignore",
    stdout: "inherit",
    stderr: "inherit",
  });
  if ((await ingest.exited) !== 0)
    throw new Error("the corpus could not be loaded: try `bun run ingest corpus`");
}

function leave(why: string): never {
  console.error(why);
  process.exit(2);
}
