/**
 * One run of one scenario.
 *
 * Its life:
 * 1. Redis and the programs come up.
 * 2. Callers ask, faults happen. It ends when every question is told and every fault is over; or, so that nothing
 *    hangs, when nothing has moved for a while, or at the run's bound.
 * 3. The line comes to rest, and a lease later, when a late worker has done what harm it could, the books are closed.
 * 4. All that was started is ended. Of a run that did not keep the promise, Redis's files are kept.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startRedis, type TestRedis } from "../support/redis.ts";
import { type Books, closeBooks, deadJobs, lineContents, replicaLoads } from "./books.ts";
import { Callers } from "./callers.ts";
import { Client } from "./client.ts";
import { type CountsReport, CountWatch } from "./count-watch.ts";
import { DirectCaller } from "./direct-caller.ts";
import { FaultPlan } from "./fault-plan.ts";
import { type Ledger, readLedger } from "./ledger.ts";
import { type Line, startLine } from "./line.ts";
import { problemsOf } from "./problems.ts";
import type { Program } from "./program.ts";
import { questions } from "./question.ts";
import { SeededRandom } from "./random.ts";
import { type GatewayScenario, LEASE_MS, type Scenario } from "./scenarios.ts";

/** Longer than a poison message takes to kill as many workers as it may. */
const QUIET_MS = 10 * LEASE_MS;
const REST_MS = 3 * LEASE_MS;
/** A count outlives its job's deadline by a grace of 5 s. */
const COUNT_MS = 6_000;
const START_MS = 30_000;
const CLOSE_MS = 30_000;

export interface Report {
  readonly faults: number;
  /** How often a caller was refused, most of whom then asked again. */
  readonly again: number;
  readonly books: Books;
  /** Where the scenario watches them. */
  readonly counts?: CountsReport;
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
    // The ledger needs all of it: not rewritten by itself, and what workers have rewritten is kept.
    "auto-aof-rewrite-percentage": "0",
    "aof-disable-auto-gc": "yes",
    "maxmemory-policy": "noeviction",
  });
  const failures = new Set<string>();
  const failed = (error: Error) => failures.add(error.message);
  const line = startLine(scenario, seed, redis.url, failed);
  const direct = new DirectCaller(redis.url);
  const watcher = scenario.watch_counts ? redis.client.duplicate() : undefined;
  const ended = (programs: readonly Program[]) => programs.reduce((sum, { ended }) => sum + ended, 0);
  const gateways = line.gateways.map(({ program }) => program);
  const counting =
    watcher &&
    new CountWatch(watcher, {
      gateway: () => ended(gateways),
      any: () => ended([...gateways, ...line.workers]),
    });
  let kept = false;
  try {
    await within(START_MS, "the line did not come up", [line.up(), direct.up()]);
    for (const failure of failures) throw new Error(failure);

    const started = performance.now();
    counting?.start();
    const random = new SeededRandom(seed);
    const asked = questions(scenario, random);
    const client = new Client(line.gateways, new SeededRandom(seed + 1));
    const plan = new FaultPlan(
      scenario.fault,
      scenario.faults,
      scenario.jobs,
      { redis, line, lease_ms: LEASE_MS, poisoned: asked.some((one) => one.poisoned), random },
      failed,
    );
    const end = new AbortController();
    const over = new Promise<void>((resolve) => end.signal.addEventListener("abort", () => resolve()));
    const callers = new Callers({
      callers: scenario.callers,
      questions: asked,
      ask: scenario.gateway ? client.ask : direct.ask,
      turn: (before) => Promise.race([plan.turn(before), over]),
      signal: end.signal,
    });
    const watch = setInterval(() => {
      const now = performance.now();
      if (interrupted.aborted) end.abort("interrupted");
      else if (now - callers.progress_at > QUIET_MS) end.abort(`nothing moved for ${QUIET_MS / 1_000} s`);
      else if (now - started > boundOf(scenario)) end.abort("it was not over within its bound");
    }, 100);
    await Promise.race([callers.ask().then(() => plan.over()), over]);
    clearInterval(watch);

    if (!end.signal.aborted) await atRest(redis, line, callers.again > 0 ? scenario.gateway : undefined);
    const counts = await counting?.stop();
    const [ledger, dead, stranded, loads, calls] = await within(CLOSE_MS, "the books could not be read", [
      readWhenWritten(redis, directory),
      deadJobs(redis.client),
      lineContents(redis.client),
      replicaLoads(redis.client),
      line.calls(),
    ]);
    const seconds = (performance.now() - started) / 1_000;
    const books = closeBooks({ questions: asked, told: callers.told, ledger, dead, stranded, loads });
    const { again } = callers;
    const faults = plan.injected;
    const problems = problemsOf(scenario, books, { faults, again, calls, charged: ledger.charged });
    if (end.signal.aborted) problems.unshift(String(end.signal.reason));
    problems.push(...failures, ...(counts?.problems ?? []));
    kept = problems.length === 0;
    if (!kept && !interrupted.aborted) problems.push(`Redis's append-only file is kept in ${directory}`);
    return { faults, again, books, counts, problems, seconds };
  } finally {
    direct.close();
    watcher?.disconnect();
    await line.stop();
    await redis.stop();
    if (kept || interrupted.aborted) rmSync(directory, { recursive: true, force: true });
  }
}

function boundOf({ jobs, faults, poisoned = 0 }: Scenario): number {
  return 30_000 + 10 * jobs + 3 * LEASE_MS * (faults + poisoned);
}

/**
 * Resolves when all has been back where it was for a lease, or has not become so in time.
 * @param outage the gateways that refused callers, as they died or gave up on Redis: their counts end with deadlines.
 */
async function atRest({ client }: TestRedis, line: Line, outage?: GatewayScenario): Promise<void> {
  await become(REST_MS, async () => (await lineContents(client)).size === 0 && (await line.calls()) === 0);
  const counted_ms = outage ? outage.timeout_ms + COUNT_MS : REST_MS;
  await become(counted_ms, async () => (await replicaLoads(client)).size === 0);
  await Bun.sleep(LEASE_MS);
}

/** Resolves when it is so, or has not become so within `ms`. */
async function become(ms: number, so: () => Promise<boolean>): Promise<void> {
  const until = performance.now() + ms;
  while (performance.now() < until && !(await so())) await Bun.sleep(20);
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
