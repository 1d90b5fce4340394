/** What the consumer's test files start from: a real Redis, an encoder-like stage on it, and eyes for what it does. */
import { afterAll, afterEach, beforeAll, beforeEach } from "bun:test";
import { contract, type DeadLetter, EncoderIn, packEmbedding, queues, redisNames } from "#contracts";
import {
  Cancellations,
  CompletionWaiter,
  Consumer,
  type ConsumerEvent,
  type ConsumerOptions,
  connectBlocking,
  connectSubscriber,
  connectWorker,
  type QueueRedis,
} from "#queue";
import { startRedis, type TestRedis } from "../../support/redis.ts";

/** The encoder's queue with nothing but questions in it. */
export const questions = { ...queues.encoderIn, message: contract(EncoderIn) };

type Encoder = ConsumerOptions<typeof EncoderIn, typeof queues.retrieverIn.message.schema>;

export const names = redisNames("test:");
export const embedding = packEmbedding(new Float32Array(384).fill(0.05));

/** For a test file's top level: the server lives as long as the file's tests, all else ends with each test. */
export function testStage({ lease_ms }: { lease_ms: number }) {
  let server: TestRedis;
  const stops: (() => unknown)[] = [];
  beforeAll(async () => {
    server = await startRedis();
  });
  beforeEach(() => server.client.flushall());
  afterEach(async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  });
  afterAll(() => server.stop());

  const lease = (url = server.url) => ({ url, lease_ms, max_deliveries: 3, stall_ms: 10_000 });

  function connections(url = server.url) {
    const redis = connectWorker(url, () => {}) as QueueRedis;
    const blocking = connectBlocking(url, () => {});
    const notices = connectBlocking(url, () => {});
    stops.push(() => {
      for (const connection of [redis, blocking, notices]) connection.disconnect();
    });
    return { redis, blocking, cancellations: new Cancellations(notices, names, redis) };
  }

  /** `events` gathers what the consumer observes. @param url where it finds Redis, if not at the server itself. */
  function startEncoder(options: Partial<Encoder> = {}, url = server.url) {
    const events: ConsumerEvent[] = [];
    const consumer = new Consumer({
      stage: "encoder",
      from: questions,
      to: queues.retrieverIn,
      handle: async (jobs) => jobs.map((job) => ({ ...job, embedding })),
      batch: 8,
      concurrency: 1,
      prefetch: 16,
      names,
      lease: lease(url),
      observe: (event) => events.push(event),
      ...connections(url),
      ...options,
    });
    consumer.start();
    stops.push(() => consumer.stop(1_000));
    return { consumer, events };
  }

  async function startWaiter() {
    const subscriber = connectSubscriber(server.url, () => {});
    const waiter = new CompletionWaiter("gateway-test", server.client, subscriber, names, () => {});
    await waiter.start();
    stops.push(() => {
      waiter.close();
      subscriber.disconnect();
    });
    const never = new AbortController().signal;
    return { waiter, wait: (job_id: string) => waiter.wait(job_id, Date.now() + 10_000, never) };
  }

  /** The next message of a queue, taken as a foreign program would. */
  async function next(queue = "job:retriever_in"): Promise<Record<string, unknown>> {
    const client = server.client.duplicate();
    const popped = await client.brpop(names.queue(queue), 10);
    client.disconnect();
    return JSON.parse(popped![1]);
  }

  async function deadLetters(queue: string): Promise<DeadLetter[]> {
    return (await server.client.lrange(names.dead(queue), 0, -1)).map((letter) => JSON.parse(letter));
  }

  return {
    get server() {
      return server;
    },
    stops,
    lease,
    connections,
    startEncoder,
    startWaiter,
    next,
    deadLetters,
  };
}
