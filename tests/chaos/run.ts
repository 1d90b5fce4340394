/**
 * One run of one scenario.
 *
 * Its life:
 * 1. Redis and the workers come up.
 * 2. Callers ask, faults happen. It ends when every question is told and every fault is over; or, so that nothing
 *    hangs, when nothing has moved for a while, or at the run's bound.
 * 3. The line comes to rest, and a lease later, when a late worker has done what harm it could, the books are closed.
 * 4. All that was started is ended.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisNames } from "#contracts";
import { CompletionWaiter, connectProducer, connectSubscriber, connectWorker } from "#queue";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type Books, closeBooks, deadJobs, lineContents } from "./books.ts";
import { Callers } from "./callers.ts";
import { FaultPlan, spread } from "./fault-plan.ts";
import { type Ledger, readLedger } from "./ledger.ts";
import { problemsOf } from "./problems.ts";
import { SeededRandom } from "./random.ts";
import { type Scenario, WORKERS_PER_STAGE } from "./scenarios.ts";
import { startWorkers } from "./workers.ts";

/** Short, so that a run is; a second still lets a busy machine beat in time. */
const LEASE_MS = 1_000;
/** Longer than a poison message takes to kill as many workers as it may. */
const QUIET_MS = 15 * LEASE_MS;
const REST_MS = 6 * LEASE_MS;
const START_MS = 30_000;
const CLOSE_MS = 30_000;

export interface Report {
  readonly faults: number;
  readonly books: Books;
  /** In words; none if the promise was kept. */
  readonly problems: readonly string[];
  /** From the first question until the books were closed. */
  readonly seconds: number;
}

/** @throws Error if the line did not come up, or its Redis could not be read at the end. */
export async function run(scenario: Scenario, seed: number, interrupted: AbortSignal): Promise<Report> {
  const directory = mkdtempSync(join(tmpdir(), "ragline-chaos-"));
  const redis = await startRedis({
    dir: directory,
    appendonly: "yes",
    appendfsync: scenario.appendfsync ?? "everysec",
    "auto-aof-rewrite-percentage": "0", // the ledger needs all of it
    "maxmemory-policy": "noeviction",
  });
  const failures = new Set<string>();
  const failed = (error: Error) => failures.add(error.message);
  const workers = startWorkers(
    {
      REDIS_URL: redis.url,
      LEASE_MS: `${LEASE_MS}`,
      DRAIN_SECONDS: "2",
      METRICS_PORT: "0",
      LOG_LEVEL: "info",
    },
    WORKERS_PER_STAGE,
    failed,
  );
  const ignore = () => {};
  const producer = connectProducer(redis.url, ignore);
  const reader = connectWorker(redis.url, ignore);
  const subscriber = connectSubscriber(redis.url, ignore);
  const names = redisNames();
  const waiter = new CompletionWaiter("chaos", reader, subscriber, names, ignore);
  try {
    await within(START_MS, "the line did not come up", [
      ...workers.map((worker) => worker.up()),
      waiter.start(),
      producer.ping().catch(() => {}),
    ]);
    for (const failure of failures) throw new Error(failure);

    const started = performance.now();
    const random = new SeededRandom(seed);
    const victims = { redis, workers, lease_ms: LEASE_MS, random };
    const plan = new FaultPlan(scenario.fault, scenario.faults, scenario.jobs, victims, failed);
    const end = new AbortController();
    const ended = new Promise<void>((resolve) => end.signal.addEventListener("abort", () => resolve()));
    const callers = new Callers({
      jobs: scenario.jobs,
      poisoned: new Set(spread(scenario.poisoned ?? 0, scenario.jobs)),
      gateway: "chaos",
      redis: producer,
      names,
      waiter,
      turn: (asked) => Promise.race([plan.turn(asked), ended]),
      signal: end.signal,
    });
    const watch = setInterval(() => {
      const now = performance.now();
      if (interrupted.aborted) end.abort("interrupted");
      else if (now - callers.progress_at > QUIET_MS) end.abort(`nothing moved for ${QUIET_MS / 1_000} s`);
      else if (now - started > boundOf(scenario)) end.abort("it was not over within its bound");
    }, 100);
    await Promise.race([callers.ask().then(() => plan.over()), ended]);
    clearInterval(watch);

    if (!end.signal.aborted) await atRest(redis);
    const [ledger, dead, stranded] = await within(CLOSE_MS, "the books could not be read", [
      readWhenWritten(redis, directory),
      deadJobs(redis.client),
      lineContents(redis.client),
    ]);
    const seconds = (performance.now() - started) / 1_000;
    const books = closeBooks(callers, ledger, dead, stranded);
    const problems = problemsOf(scenario, books, ledger, plan.injected);
    if (end.signal.aborted) problems.unshift(String(end.signal.reason));
    return { faults: plan.injected, books, problems: [...problems, ...failures], seconds };
  } finally {
    waiter.close();
    for (const connection of [producer, reader, subscriber]) connection.disconnect();
    await Promise.all(workers.map((worker) => worker.stop()));
    await redis.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

function boundOf({ jobs, faults, poisoned = 0 }: Scenario): number {
  return 30_000 + 10 * jobs + 5 * LEASE_MS * (faults + poisoned);
}

/** Resolves when the line has been empty for a lease, or has not become so in time. */
async function atRest(redis: TestRedis): Promise<void> {
  const until = performance.now() + REST_MS;
  while (performance.now() < until && (await lineContents(redis.client)).size > 0) await Bun.sleep(20);
  await Bun.sleep(LEASE_MS);
}

async function readWhenWritten(redis: TestRedis, directory: string): Promise<Ledger> {
  while (!(await redis.client.info("persistence")).includes("aof_buffer_length:0\r\n")) await Bun.sleep(20);
  return readLedger(directory);
}

/** All results. @throws Error with `otherwise` if they take longer than `ms`. */
async function within<T extends readonly unknown[]>(ms: number, otherwise: string, all: T) {
  const { promise: late, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(new Error(`${otherwise} within ${ms / 1_000} s`)), ms);
  try {
    return await Promise.race([Promise.all(all), late]);
  } finally {
    clearTimeout(timer);
  }
}
