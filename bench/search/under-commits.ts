/**
 * What a writer's steady commits do to a reader, in another process: `under-commits.ts FILE CHUNKS` prints the P50 of
 * a hybrid search without and with them, and how soon a new document is found, as JSON.
 */
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore } from "#vector-store";
import { Durations } from "../loadtest/durations.ts";
import { questionOf, textOf, vectorOf } from "./dataset.ts";

const ROUNDS = 3;
const QUESTIONS_A_ROUND = 60;
const TOP_K = 10;

const [path = "", size = ""] = process.argv.slice(2);
const chunks = Number(size);
const store = openSqliteStore({ path, readonly: true });
const quiet = new Durations();
const busy = new Durations();
let found_after_ms = 0;

await ask(new Durations());
for (let round = 0; round < ROUNDS; round++) {
  await ask(quiet);
  const writer = Bun.spawn([process.execPath, `${import.meta.dir}/committer.ts`, path, size], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const lines = writer.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const last = async () => Number((await lines.read()).value?.trim().split("\n").at(-1));
  const committed = await last();
  const from = performance.now();
  while (!(await isFound(committed))) await Bun.sleep(1);
  found_after_ms = Math.max(found_after_ms, performance.now() - from);
  await ask(busy);
  writer.kill();
  await writer.exited;
}
const [quiet_p50_ms, busy_p50_ms] = [quiet.percentile(50)!, busy.percentile(50)!];
console.log(JSON.stringify({ quiet_p50_ms, busy_p50_ms, ratio: busy_p50_ms / quiet_p50_ms, found_after_ms }));
await store.close();

async function ask(durations: Durations): Promise<void> {
  for (let j = 0; j < QUESTIONS_A_ROUND; j++) {
    const request = { tenant: DEFAULT_TENANT, top_k: TOP_K, ...questionOf(j, chunks) };
    const from = performance.now();
    await store.search(request);
    durations.record(performance.now() - from);
  }
}

/** Asks for a new document by its own words and vector. */
async function isFound(document: number): Promise<boolean> {
  const number = chunks + document * 10;
  const hits = await store.search({
    tenant: DEFAULT_TENANT,
    vector: vectorOf(number, chunks),
    text: textOf(number),
    top_k: 1,
  });
  return hits[0]?.id === `new-${document}#0`;
}
