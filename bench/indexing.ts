/**
 * Whether the model is the limit of indexing: the corpus through `bun run ingest`, and through the queue and its
 * indexer, against the model alone on the same chunks. Loading the model is counted in none of them.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startProcess } from "../tests/support/process.ts";
import { startRedis, type TestRedis } from "../tests/support/redis.ts";
import { complete, documentJob } from "./document-jobs.ts";
import { interleave, shown, spread } from "./rounds.ts";

const ROUNDS = 3;
const MODEL_DIR = ".models";

export async function benchIndexing(): Promise<void> {
  const files = [...new Bun.Glob("corpus/*.md").scanSync()].sort();
  const contents = await Promise.all(files.map((path) => readFile(path, "utf8")));
  const redis = await startRedis();
  const results = await interleave(ROUNDS, {
    alone: () => alone(files),
    ingest: () => ingested("corpus"),
    queue: () => queued(redis, files, contents),
  });
  await redis.stop();
  console.log(`\nIndexing: ${files.length} documents, chunks/s; median of ${ROUNDS} rounds (range)`);
  console.log(`  the model alone, all chunks in one call    ${shown(spread(results.alone), 1)}`);
  for (const [what, rates] of Object.entries({
    "bun run ingest": results.ingest,
    "through the queue": results.queue,
  })) {
    const share = rates.map((rate, i) => rate / results.alone[i]!);
    console.log(`  ${what.padEnd(42)} ${shown(spread(rates), 1)}`);
    console.log(`    share of it                              ${shown(spread(share))}`);
  }
  console.log("  to reach: at least 0.9");
}

async function alone(files: readonly string[]): Promise<number> {
  const program = startProcess("bench/programs/embed-alone.ts", {}, files);
  return JSON.parse(await program.line("chunks_per_s")).chunks_per_s;
}

/** Less what the same command takes where there is nothing to do. */
async function ingested(path: string): Promise<number> {
  const run = async (what: string) => {
    return inFolder(async (DATA_DIR) => {
      const ingest = startProcess("apps/indexer/ingest.ts", { DATA_DIR, MODEL_DIR }, [what]);
      const [, chunks, seconds] = /\((\d+) chunks\).* in ([\d.]+) s/.exec(await ingest.line("ingested"))!;
      return { chunks: Number(chunks), seconds: Number(seconds) };
    });
  };
  const nothing = await inFolder((empty) => run(empty));
  const all = await run(path);
  return all.chunks / (all.seconds - nothing.seconds);
}

/** From the first push to the last completion, with an indexer that has its model. */
function queued(redis: TestRedis, files: readonly string[], contents: readonly string[]): Promise<number> {
  return inFolder(async (DATA_DIR) => {
    const env = { REDIS_URL: redis.url, DATA_DIR, MODEL_DIR, METRICS_PORT: "0" };
    const indexer = startProcess("apps/indexer/main.ts", env);
    await complete(redis, [
      documentJob("warm-up.md", "# Warm-up\n\nThe model and the tokenizer are loaded."),
    ]);
    const started = performance.now();
    const chunks = await complete(
      redis,
      files.map((path, i) => documentJob(path, contents[i]!)),
    );
    const seconds = (performance.now() - started) / 1_000;
    await indexer.stop();
    return chunks / seconds;
  });
}

async function inFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "ragline-bench-"));
  try {
    return await work(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
