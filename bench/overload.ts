/**
 * Three times as many questions as the line can answer, from one tenant; a second tenant asks a few beside it. Each round:
 * 1. capacity: as many of the first tenant's as are always waiting, and all in time; answers a second.
 * 2. the second tenant alone: its P95.
 * 3. the flood, open loop at three times the capacity, with the second tenant beside it: goodput (answers within
 *    QUERY_TIMEOUT_MS a second, of both), and the second tenant's P95.
 * The replicas are as slow as language models are, so that on a busy machine it is still they that are measured.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisNames } from "#contracts";
import { KeyStore } from "../apps/gateway/keys/key-store.ts";
import { startLine, type TestLine } from "../tests/support/line.ts";
import { startProcess } from "../tests/support/process.ts";
import { complete, documentJob } from "./document-jobs.ts";
import { arrivals } from "./loadtest/arrivals.ts";
import { type Load, type RunResult, run } from "./loadtest/run.ts";
import { parseSlo } from "./loadtest/slo.ts";
import type { Tally } from "./loadtest/tally.ts";
import { shown, spread } from "./rounds.ts";

const ROUNDS = 3;
const DOCUMENT = "corpus/backpressure.md";
const SLOTS = 8;
const DELAY_MS = 5_000;
const JITTER_MS = 2_000;
const DEADLINE_MS = 30_000;
/** Twice what the replicas have places for: enough for a backlog, and answered well in time. */
const WAITING = 2 * 3 * SLOTS;
const CAPACITY_MS = 45_000;
const BESIDE_MS = 50_000;
/** How long the flood is there before the second tenant is. */
const LEAD_MS = 15_000;
/** Of the second tenant, a second. */
const FEW = 1;

interface Round {
  readonly capacity: number;
  readonly alone_p95: number;
  readonly goodput: number;
  readonly beside_p95: number;
  /** Shares of the flood. */
  readonly refused: number;
  readonly late: number;
  /** Of the second tenant: not answered in time. */
  readonly missed: number;
}

export async function benchOverload(): Promise<void> {
  const replica = {
    MOCK_DELAY_MS: String(DELAY_MS),
    MOCK_JITTER_MS: String(JITTER_MS),
    MOCK_CONCURRENCY: String(SLOTS),
  };
  const DATA_DIR = mkdtempSync(join(tmpdir(), "ragline-"));
  const env = {
    DATA_DIR,
    API_KEYS: "true",
    MIN_SCORE: "-1",
    QUERY_TIMEOUT_MS: String(DEADLINE_MS),
    LLM_REPLICA_LIMIT: String(SLOTS),
  };
  const line = await startLine({ replicas: [replica, replica, replica], env });
  await index(line, DATA_DIR, ["many", "few"]);
  const ask = askers(line, { many: await key(line, "many"), few: await key(line, "few") });
  await ask.many({ kind: "closed", concurrency: WAITING, requests: 60 });
  const rounds: Round[] = [];
  for (let i = 0; i < ROUNDS; i++) rounds.push(await round(ask));
  await line.stop();
  rmSync(DATA_DIR, { recursive: true, force: true });
  print(rounds);
}

/** A document for each tenant: its sources are those of every question, so that all of them go to a replica. */
async function index({ redis }: TestLine, DATA_DIR: string, tenants: readonly string[]): Promise<void> {
  const indexer = startProcess("apps/indexer/main.ts", {
    REDIS_URL: redis.url,
    DATA_DIR,
    MODEL_DIR: ".models",
    METRICS_PORT: "0",
  });
  const content = await readFile(DOCUMENT, "utf8");
  await complete(
    redis,
    tenants.map((tenant) => documentJob(DOCUMENT, content, tenant)),
  );
  await indexer.stop();
}

/** `good_at`: when each good answer came, as `performance.now()` has it. */
type Asker = (load: Load) => Promise<RunResult & { readonly good_at: readonly number[] }>;

async function round({ many, few }: Record<"many" | "few", Asker>): Promise<Round> {
  // Not before the replicas have been full for a while, nor while they empty.
  const filled = performance.now() + LEAD_MS;
  const full = await many({
    kind: "closed",
    concurrency: WAITING,
    requests: Infinity,
    duration_ms: CAPACITY_MS,
  });
  const capacity = rate(full.good_at, filled, CAPACITY_MS - LEAD_MS);
  const alone = await few(open(FEW, BESIDE_MS));
  // The second tenant asks while the flood is there, and not before.
  const flooded = performance.now() + LEAD_MS;
  const [flood, beside] = await Promise.all([
    many(open(3 * capacity, BESIDE_MS + LEAD_MS)),
    Bun.sleep(LEAD_MS).then(() => few(open(FEW, BESIDE_MS))),
  ]);
  const good = (result: RunResult) => result.tally.slo!.result(result.elapsed_ms).good;
  const { requests, failures } = flood.tally;
  const refused = failures.get("429 overloaded") ?? 0;
  return {
    capacity,
    alone_p95: alone.tally.latency.percentile(95) ?? Number.NaN,
    goodput: rate([...flood.good_at, ...beside.good_at], flooded, BESIDE_MS),
    beside_p95: beside.tally.latency.percentile(95) ?? Number.NaN,
    refused: refused / requests,
    late: (requests - good(flood) - refused) / requests,
    missed: 1 - good(beside) / beside.tally.requests,
  };
}

function rate(times: readonly number[], from: number, during_ms: number): number {
  return (1_000 * times.filter((at) => at >= from && at < from + during_ms).length) / during_ms;
}

function open(rate: number, duration_ms: number): Load {
  return { kind: "open", arrivals: arrivals([{ duration_ms, from: rate, to: rate }], "poisson") };
}

async function key(line: TestLine, tenant: string): Promise<string> {
  const grant = { tenant, requests_per_minute: 1_000_000, tokens_per_day: 1e12, priority: 1 };
  return (await new KeyStore(line.redis.client, redisNames()).create(grant)).secret;
}

function askers<Name extends string>({ url }: TestLine, keys: Record<Name, string>): Record<Name, Asker> {
  const slo = parseSlo(`latency=${DEADLINE_MS}ms`);
  const signal = new AbortController().signal;
  const asker =
    (key: string): Asker =>
    async (load) => {
      const good_at: number[] = [];
      const onEnd = ({ slo }: Tally) => {
        if (slo!.result(1).good > good_at.length) good_at.push(performance.now());
      };
      const result = await run({
        load,
        target: { url, timeout_ms: 2 * DEADLINE_MS, key },
        signal,
        slo,
        onEnd,
      });
      return { ...result, good_at };
    };
  return Object.fromEntries(
    Object.entries<string>(keys).map(([name, secret]) => [name, asker(secret)]),
  ) as Record<Name, Asker>;
}

function print(rounds: readonly Round[]): void {
  const row = (what: string, value: (round: Round) => number, digits = 2) =>
    console.log(`  ${what.padEnd(54)} ${shown(spread(rounds.map(value)), digits)}`);
  console.log(`\nThree times the capacity, deadline ${DEADLINE_MS} ms; median of ${ROUNDS} rounds (range)`);
  row("capacity, answers/s", ({ capacity }) => capacity, 1);
  row("goodput at 3x, answers in time/s", ({ goodput }) => goodput, 1);
  row("  of the capacity", ({ goodput, capacity }) => goodput / capacity);
  row("of the flood, refused at once, %", ({ refused }) => 100 * refused, 1);
  row("of the flood, accepted and not answered in time, %", ({ late }) => 100 * late, 1);
  row("a second tenant alone: P95, ms", ({ alone_p95 }) => alone_p95, 0);
  row("the same beside the flood: P95, ms", ({ beside_p95 }) => beside_p95, 0);
  row("  of alone", ({ beside_p95, alone_p95 }) => beside_p95 / alone_p95);
  row("  not answered in time, %", ({ missed }) => 100 * missed, 1);
  console.log("  to reach: goodput at least 0.9 of the capacity; P95 at most 1.5 of alone");
}
