/** BullMQ, with the settings that measured fastest here. */
import { type ConnectionOptions, type DefaultJobOptions, Queue, Worker } from "bullmq";
import { Redis } from "ioredis";
import { CONCURRENCY, type Contender } from "../contender.ts";
import { answer, type BenchStage, type Job, passOn, STAGES } from "../workload.ts";
import { reply, replyClient } from "./reply.ts";

const PREFIX = "bullmq:";
const defaultJobOptions: DefaultJobOptions = { removeOnComplete: true, removeOnFail: true };

const connect = (url: string) => new Redis(url, { maxRetriesPerRequest: null, enableAutoPipelining: !process.env.NOPIPE });

function queueOf(stage: BenchStage, connection: Redis) {
  return new Queue<Job>(stage, { connection: connection as ConnectionOptions, prefix: PREFIX, defaultJobOptions });
}

export const bullmq: Contender = {
  async startStage(stage, { url }) {
    const redis = connect(url);
    const next = STAGES[STAGES.indexOf(stage) + 1];
    const out = next && queueOf(next, redis);
    const work = async ({ data }: { data: Job }) => {
      if (out) await out.add("job", passOn(data));
      else await reply(redis, PREFIX, data, answer(data));
    };
    const worker = new Worker<Job>(stage, work, {
      connection: (process.env.WPIPE ? connect(url) : new Redis(url, { maxRetriesPerRequest: null })) as ConnectionOptions,
      prefix: PREFIX,
      concurrency: CONCURRENCY,
    });
    worker.on("error", console.error);
    await worker.waitUntilReady();
  },

  startClient({ url }) {
    const redis = connect(url);
    const first = queueOf("encoder", redis);
    return replyClient(url, PREFIX, redis, (job) => first.add("job", job));
  },
};
