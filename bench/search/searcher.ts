/**
 * Searches a filled store in a process of its own, as a retriever does, beside the exact ways of doing the same,
 * and prints what it measured as JSON.
 *   searcher.ts FILE CHUNKS
 *
 * Memory first, while nothing else is in the process; then rounds of questions through each way in turn, so that
 * all share whatever else the machine is doing.
 */
import { rmSync } from "node:fs";
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore, type SearchRequest } from "#vector-store";
import { Durations } from "../loadtest/durations.ts";
import { questionOf } from "./dataset.ts";
import { fill, numberOf } from "./documents.ts";
import { ExactScan } from "./exact-scan.ts";
import { SqliteVec } from "./sqlite-vec.ts";

const ROUNDS = 5;
const QUESTIONS_A_ROUND = 40;
/** Of the exact ways, which take a hundred times as long. */
const EXACT_QUESTIONS_A_ROUND = 4;
const TOP_K = 10;
const DEEP = 200;
const SMALL_CHUNKS = 300;

const [path = "", size = ""] = process.argv.slice(2);
const chunks = Number(size);
const store = openSqliteStore({ path, readonly: true });
const search = (j: number, mode: SearchRequest["mode"], top_k: number) =>
  store.search({ tenant: DEFAULT_TENANT, mode, top_k, ...questionOf(j, chunks) });

await withSmallStore();
const before = resident();
const started = performance.now();
await search(0, "dense", TOP_K);
const load_ms = performance.now() - started;
const bytes_a_vector = (resident() - before) / chunks;
for (let j = 0; j < QUESTIONS_A_ROUND; j++) await search(j, "hybrid", TOP_K);

const exact = new ExactScan(chunks);
const sqliteVec = new SqliteVec(exact, chunks);
const recall = { at_10: 0, at_200: 0 };
const times = {
  vectors: new Durations(),
  text: new Durations(),
  hybrid: new Durations(),
  exact: new Durations(),
  sqlite_vec: new Durations(),
};
for (let round = 0; round < ROUNDS; round++) {
  const first = round * QUESTIONS_A_ROUND;
  for (const [name, mode] of [
    ["vectors", "dense"],
    ["text", "text"],
    ["hybrid", "hybrid"],
  ] as const) {
    for (let j = first; j < first + QUESTIONS_A_ROUND; j++)
      await timed(times[name], j, (request) => store.search({ ...request, mode }));
  }
  for (let j = first; j < first + EXACT_QUESTIONS_A_ROUND; j++) {
    await timed(times.sqlite_vec, j, ({ vector }) => sqliteVec.nearest(vector, DEEP));
    const nearest = await timed(times.exact, j, ({ vector }) => exact.nearest(vector, DEEP));
    const found = (await search(j, "dense", DEEP)).map(({ id }) => numberOf(id));
    recall.at_10 += shared(found, nearest, TOP_K);
    recall.at_200 += shared(found, nearest, DEEP);
  }
}

const asked = ROUNDS * EXACT_QUESTIONS_A_ROUND;
const figures = Object.entries(times).map(([name, of]) => [
  name,
  { p50_ms: of.percentile(50), p95_ms: of.percentile(95) },
]);
console.log(
  JSON.stringify({
    recall_at_10: recall.at_10 / asked,
    recall_at_200: recall.at_200 / asked,
    bytes_a_vector,
    load_ms,
    ...Object.fromEntries(figures),
  }),
);
await store.close();

async function timed<T>(
  durations: Durations,
  j: number,
  work: (request: SearchRequest) => T,
): Promise<Awaited<T>> {
  const request = { tenant: DEFAULT_TENANT, top_k: TOP_K, ...questionOf(j, chunks) };
  const from = performance.now();
  const result = await work(request);
  durations.record(performance.now() - from);
  return result;
}

/** The share of the `count` nearest that is in the first `count` found. */
function shared(found: readonly number[], nearest: readonly number[], count: number): number {
  const first = new Set(found.slice(0, count));
  const wanted = nearest.slice(0, count);
  return wanted.filter((number) => first.has(number)).length / wanted.length;
}

/** Whatever a first search needs once, however many vectors there are, is there after this. */
async function withSmallStore(): Promise<void> {
  const small_path = `${path}-small`;
  const small = openSqliteStore({ path: small_path });
  await fill(small, SMALL_CHUNKS, () => {});
  for (let j = 0; j < QUESTIONS_A_ROUND; j++) {
    await small.search({ tenant: DEFAULT_TENANT, top_k: TOP_K, ...questionOf(j, SMALL_CHUNKS) });
  }
  await small.close();
  rmSync(small_path);
}

/** Bytes of memory that the process has, with its garbage collected. */
function resident(): number {
  Bun.gc(true);
  return process.memoryUsage.rss();
}
