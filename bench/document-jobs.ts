/** Documents through the queue of an indexer that runs already. */
import { type IndexIn, queues, redisNames } from "#contracts";
import { push } from "#queue";
import type { TestRedis } from "../tests/support/redis.ts";

const REPLY_TO = "bench-documents";

export function documentJob(path: string, content: string, tenant?: string): IndexIn {
  return {
    tenant,
    job_id: crypto.randomUUID(),
    document_id: path,
    source: path,
    format: "markdown",
    content,
    submitted_at: Date.now(),
    deadline: Date.now() + 600_000,
    reply_to: REPLY_TO,
    timings: {},
  };
}

/** Pushes the jobs; resolves with their chunks when all are done. */
export async function complete(redis: TestRedis, jobs: readonly IndexIn[]): Promise<number> {
  const names = redisNames();
  const subscriber = redis.client.duplicate();
  await subscriber.subscribe(names.done(REPLY_TO));
  const all_done = new Promise<void>((resolve) => {
    let left = jobs.length;
    subscriber.on("message", () => {
      if (--left === 0) resolve();
    });
  });
  for (const job of jobs) await push(redis.client, names, queues.indexIn, job);
  await all_done;
  subscriber.disconnect();
  const completions = await redis.client.mget(jobs.map(({ job_id }) => names.completion(job_id)));
  return completions.reduce((sum, completion) => sum + JSON.parse(completion!).chunks, 0);
}
