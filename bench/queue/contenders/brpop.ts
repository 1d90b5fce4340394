/** A plain loop, as many programs do it: BRPOP, work, LPUSH. What a killed worker held is lost. */
import { Redis } from "ioredis";
import { CONCURRENCY, type Contender } from "../contender.ts";
import { answer, type BenchStage, type Job, passOn, STAGES } from "../workload.ts";
import { reply, replyClient } from "./reply.ts";

const PREFIX = "brpop:";
const queue = (stage: BenchStage) => `${PREFIX}${stage}_in`;

export const brpop: Contender = {
  async startStage(stage, { url }) {
    const next = STAGES[STAGES.indexOf(stage) + 1];
    const run = async (redis: Redis) => {
      for (;;) {
        const [, message] = (await redis.brpop(queue(stage), 0))!;
        const job: Job = JSON.parse(message);
        if (next) await redis.lpush(queue(next), JSON.stringify(passOn(job)));
        else await reply(redis, PREFIX, job, answer(job));
      }
    };
    for (let i = 0; i < CONCURRENCY; i++) {
      const redis = new Redis(url, { maxRetriesPerRequest: null });
      await redis.ping();
      run(redis);
    }
  },

  startClient({ url }) {
    const redis = new Redis(url);
    return replyClient(url, PREFIX, redis, (job) => redis.lpush(queue("encoder"), JSON.stringify(job)));
  },
};
