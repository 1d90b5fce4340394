/**
 * A plain loop, as many programs do it: BRPOP, work, LPUSH, each of its 16 on a connection of its own. What a killed
 * worker held is lost. It answers as Ragline does, by a key that is kept for a while and a notice.
 */
import { Redis } from "ioredis";
import { type AnswerCompletion, COMPLETION_TTL_SECONDS } from "#contracts";
import { CONCURRENCY, type Contender } from "../contender.ts";
import { answer, type BenchStage, type Job, passOn, STAGES } from "../workload.ts";

const queue = (stage: BenchStage) => `brpop:${stage}_in`;
const completionKey = (job_id: string) => `brpop:completion:${job_id}`;
const channel = (reply_to: string) => `brpop:done:${reply_to}`;

export const brpop: Contender = {
  async startStage(stage, { url }) {
    for (let i = 0; i < CONCURRENCY; i++) {
      const redis = new Redis(url, { maxRetriesPerRequest: null });
      await redis.ping();
      run(redis, stage);
    }
  },

  async startClient({ url }) {
    const redis = new Redis(url);
    const subscriber = new Redis(url);
    const reply_to = crypto.randomUUID();
    const waiting = new Map<string, () => void>();
    subscriber.on("message", async (_channel, id: string) => {
      const { job_id }: AnswerCompletion = JSON.parse((await redis.get(completionKey(id)))!);
      waiting.get(job_id)?.();
      waiting.delete(job_id);
    });
    await subscriber.subscribe(channel(reply_to));
    return {
      reply_to,
      async ask(job) {
        const completed = new Promise<void>((resolve) => waiting.set(job.job_id, resolve));
        await redis.lpush(queue("encoder"), JSON.stringify(job));
        await completed;
      },
    };
  },
};

async function run(redis: Redis, stage: BenchStage): Promise<never> {
  const next = STAGES[STAGES.indexOf(stage) + 1];
  for (;;) {
    const [, message] = (await redis.brpop(queue(stage), 0))!;
    const job: Job = JSON.parse(message);
    if (next) await redis.lpush(queue(next), JSON.stringify(passOn(job)));
    else await reply(redis, job);
  }
}

async function reply(redis: Redis, job: Job): Promise<void> {
  await Promise.all([
    redis.set(completionKey(job.job_id), JSON.stringify(answer(job)), "EX", COMPLETION_TTL_SECONDS),
    redis.publish(channel(job.reply_to), job.job_id),
  ]);
}
