/** `bun run dev`: Redis and the whole line on this machine, over the corpus that ships with it. */
import { join } from "node:path";
import { configOrExit, sqlitePath } from "#runtime";
import { devSettings } from "./config.ts";
import { loadCorpus } from "./corpus.ts";
import { lockDataDir } from "./data-lock.ts";
import { freePort, tryListen } from "./free-port.ts";
import { line, MOCK_PORTS, mockReplica } from "./programs.ts";
import { redisServer } from "./redis-server.ts";
import { type Program, Supervisor } from "./supervisor.ts";

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

let stopped: Promise<void> | undefined;
/** One Ctrl-C can come twice, from the terminal and from `npm run`: the second changes nothing. */
async function stop(code: number): Promise<never> {
  stopped ??= stopAll();
  await stopped;
  process.exit(code);
}
async function stopAll(): Promise<void> {
  await supervisor.stop(WORKERS_STOP_MS, ["redis"]);
  await supervisor.stop(REDIS_STOP_MS);
  unlock();
}
process.on("SIGINT", () => stop(0));
process.on("SIGTERM", () => stop(0));

try {
  const corpus = loadCorpus(config);
  corpus.catch(() => {}); // awaited below, when the rest is under way
  const [redis_url, replicas] = await Promise.all([
    config.REDIS_URL ?? startRedis(),
    config.LLM_REPLICAS ?? startMocks(),
  ]);
  const programs = line(config, redis_url, replicas);
  await Promise.all([corpus, ...programs.map((program) => supervisor.start(program))]);
  const took = ((performance.now() - started) / 1_000).toFixed(1);
  console.log(`
Ragline is up, after ${took} s.
  gateway    http://localhost:${config.PORT}  (Swagger UI: http://localhost:${config.PORT}/swagger)
  redis      ${redis_url}${config.REDIS_URL ? "" : `  (its data: ${config.DATA_DIR}/redis)`}
  replicas   ${replicas.join(" ")}${config.LLM_REPLICAS ? "" : "  (mock ones: set LLM_REPLICAS for real ones)"}
  store      ${config.QDRANT_URL ?? sqlitePath(config.DATA_DIR)}
  logs       ${config.DATA_DIR}/logs

Ask it something:
  curl -X POST localhost:${config.PORT}/query -H 'content-type: application/json' -d '{"query":"What is machine learning?"}'

Ctrl-C stops all of it.`);
} catch (error) {
  console.error((error as Error).message);
  await stop(1);
}

async function startRedis(): Promise<string> {
  const port = await startOnPort(REDIS_PORT, (port) => redisServer(config.DATA_DIR, port));
  return `redis://127.0.0.1:${port}`;
}

async function startMocks(): Promise<string[]> {
  const ports = await Promise.all(
    MOCK_PORTS.map((preferred, i) => startOnPort(preferred, (port) => mockReplica(port, i + 1))),
  );
  return ports.map((port) => `http://127.0.0.1:${port}`);
}

/** Starts a program on `preferred` or a free port; on another one if that was taken meanwhile. */
async function startOnPort(
  preferred: number,
  program: (port: number) => Program | Promise<Program>,
): Promise<number> {
  for (let attempts = 3; ; attempts--) {
    const port = freePort(attempts === 3 ? preferred : 0);
    try {
      await supervisor.start(await program(port));
      return port;
    } catch (error) {
      if (attempts === 1) throw error;
    }
  }
}

function leave(why: string): never {
  console.error(why);
  process.exit(2);
}
