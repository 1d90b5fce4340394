/** How those without completions of their own answer: as Ragline does, by a key that is kept for a while and a notice. */
import { Redis } from "ioredis";
import { type AnswerCompletion, COMPLETION_TTL_SECONDS } from "#contracts";
import type { Client } from "../contender.ts";
import type { Job } from "../workload.ts";

const completionKey = (prefix: string, job_id: string) => `${prefix}completion:${job_id}`;
const channel = (prefix: string, reply_to: string) => `${prefix}done:${reply_to}`;

export async function reply(redis: Redis, prefix: string, job: Job, completion: AnswerCompletion) {
  await Promise.all([
    redis.set(completionKey(prefix, job.job_id), JSON.stringify(completion), "EX", COMPLETION_TTL_SECONDS),
    redis.publish(channel(prefix, job.reply_to), job.job_id),
  ]);
}

/** @param send puts a job into the first queue. */
export async function replyClient(
  url: string,
  prefix: string,
  redis: Redis,
  send: (job: Job) => Promise<unknown>,
): Promise<Client> {
  const reply_to = crypto.randomUUID();
  const subscriber = new Redis(url);
  const waiting = new Map<string, () => void>();
  subscriber.on("message", async (_channel, job_id: string) => {
    const text = await redis.get(completionKey(prefix, job_id));
    const completion: AnswerCompletion = JSON.parse(text!);
    waiting.get(completion.job_id)!();
    waiting.delete(completion.job_id);
  });
  await subscriber.subscribe(channel(prefix, reply_to));
  return {
    reply_to,
    async ask(job) {
      const completed = new Promise<void>((resolve) => waiting.set(job.job_id, resolve));
      await send(job);
      await completed;
    },
  };
}
