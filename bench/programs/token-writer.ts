/**
 * Writes tokens for as many streams as there are jobs, over IPC, in the LLM workers' stead and by their code: takes every job that
 * comes in, and when it is told to, lets each grow by a token at its rate, and answers all. A token's text is when it was written.
 */
import { type EncoderIn, redisNames } from "#contracts";
import { connectBlocking, connectWorker } from "#queue";
import { TokenStreams } from "../../apps/llm/token-streams.ts";
import { now } from "../gateway/clock.ts";

/** Longer than answers are gathered for before they are written: a token is written as soon as it is there. */
const TICK_MS = 8;

export interface WriteOrder {
  readonly tokens_per_s: number;
  readonly duration_ms: number;
}

const url = process.argv[2]!;
const names = redisNames();
const redis = connectWorker(url, () => {});
const waiting = connectBlocking(url, () => {});
const streams = new TokenStreams(redis, names, (error) => console.error(error));
let jobs: EncoderIn[] = [];

process.on("disconnect", () => process.exit(0));
process.on("message", async ({ tokens_per_s, duration_ms }: WriteOrder) => {
  const every_ms = 1_000 / tokens_per_s;
  const growing = jobs.map((job) => {
    const stream = streams.open(job.job_id, job.reply_to);
    stream.sources([]);
    return { job, stream, run: stream.run(), text: "", due: Math.random() * every_ms };
  });
  let written = 0;
  const started = performance.now();
  for (let elapsed = 0; elapsed < duration_ms; elapsed = performance.now() - started) {
    for (const one of growing) {
      if (one.due > elapsed) continue;
      one.due += every_ms;
      const token = `${now().toFixed(2)} `;
      one.run(token);
      one.text += token;
      written++;
    }
    await Bun.sleep(TICK_MS);
  }
  await Promise.all(growing.map(({ stream }) => stream.written()));
  for (const { job, text } of growing) {
    const { job_id, selected_replica, reply_to } = job;
    const answered = { job_id, timings: {}, status: "ok", sources: [], selected_replica, worker: "bench" };
    await redis.set(names.completion(job_id), JSON.stringify({ ...answered, answer: text }), "EX", 60);
    await redis.publish(names.done(reply_to), job_id);
  }
  jobs = [];
  process.send!({ written });
});
process.send!({ ready: true });

for (;;) {
  const taken = await waiting.brpop(names.queue("job:encoder_in"), 1);
  if (!taken) continue;
  jobs.push(JSON.parse(taken[1]));
  process.send!({ jobs: jobs.length });
}
