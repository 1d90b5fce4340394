/** Ragline's own queue as its apps run it: contracts checked, leases and heartbeats on, jobs admitted once. */
import { type Completions, completions, type Queue, queues, redisNames } from "#contracts";
import {
  Admission,
  Cancellations,
  CompletionWaiter,
  Consumer,
  connectBlocking,
  connectProducer,
  connectSubscriber,
  connectWorker,
  type QueueRedis,
  questionLine,
} from "#queue";
import { CONCURRENCY, type Contender } from "../contender.ts";
import { answer, type BenchStage, contractOf, type Job, passOn, type Size } from "../workload.ts";

/** Taken ahead of the 16 in the handler: 64 held in all, the most that keeps a settle cheap. */
const LOOKAHEAD = 48;
const MAX_QUEUE_DEPTH = 10_000;
const names = redisNames("ragline:");
const report = ({ error }: { error: Error }) => console.error(error);

export const ragline: Contender = {
  async startStage(stage, { url, size }) {
    const redis = connectWorker(url, report) as QueueRedis;
    const consumer = new Consumer({
      stage,
      ...route(stage, size),
      handle: async (jobs) => jobs.map((job) => (stage === "llm" ? answer(job as Job) : passOn(job as Job))),
      batch: 1,
      concurrency: CONCURRENCY,
      prefetch: CONCURRENCY + LOOKAHEAD,
      redis,
      blocking: connectBlocking(url, report),
      names,
      lease: { url, lease_ms: 5_000, max_deliveries: 3, stall_ms: 10_000 },
      cancellations: new Cancellations(connectBlocking(url, report), names, redis),
      observe: (event) => {
        if (event.kind !== "done" || event.outcome !== "ok") console.error(event);
      },
    });
    consumer.start();
    await redis.ping();
  },

  async startClient({ url }) {
    const redis = connectProducer(url, report);
    const reply_to = crypto.randomUUID();
    await new Promise((resolve) => redis.once("ready", resolve));
    const waiter = new CompletionWaiter(
      reply_to,
      redis,
      connectSubscriber(url, report),
      names,
      console.error,
    );
    await waiter.start();
    const admission = new Admission(redis, names, questionLine, MAX_QUEUE_DEPTH);
    const { signal } = new AbortController();
    return {
      reply_to,
      async ask(job) {
        const completion = waiter.wait(job.job_id, job.deadline, signal);
        // On a machine that is busy elsewhere a push may time out: as a client would, it is sent again.
        const admit = () => admission.admit(job, job.job_id, "bench");
        const { kind } = await admit().catch(admit);
        if (kind === "full") throw new Error("a job was not admitted: the line is full");
        if ((await completion).status !== "ok") throw new Error("a job was not answered");
      },
    };
  },
};

function route(stage: BenchStage, size: Size): { from: Queue; to: Queue | Completions } {
  const message = contractOf(size);
  const encoder = { ...queues.encoderIn, message };
  const retriever = { ...queues.retrieverIn, message };
  const llm = { ...queues.llmIn, message };
  if (stage === "encoder") return { from: encoder, to: retriever };
  if (stage === "retriever") return { from: retriever, to: llm };
  return { from: llm, to: completions };
}
