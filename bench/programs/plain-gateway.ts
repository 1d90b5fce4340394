/**
 * What the gateway is compared with, on the same contract: `direct` answers at once, with no line behind it;
 * `polling` sends the question down the same line and looks for its completion every 50 ms.
 */

import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import { DEFAULT_TOP_K, QueryRequest, queues, redisNames } from "#contracts";
import { connectProducer, push } from "#queue";
import { appSettings, configOrExit, redisSettings, reportTo, startApp } from "#runtime";

const POLL_MS = 50;

const config = configOrExit(Type.Object({ ...appSettings, ...redisSettings }));
const app = startApp("plain-gateway", config);
const redis = connectProducer(config.REDIS_URL, reportTo(app.log));
const names = redisNames(config.REDIS_PREFIX);
const timings = {};

async function polled({ query, top_k = DEFAULT_TOP_K }: { query: string; top_k?: number }) {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  const job = {
    job_id,
    query,
    top_k,
    selected_replica: "none",
    submitted_at,
    deadline: submitted_at + 60_000,
  };
  await push(redis, names, queues.encoderIn, { ...job, reply_to: "nobody", timings });
  for (;;) {
    const completion = await redis.get(names.completion(job_id));
    if (completion) return JSON.parse(completion);
    await Bun.sleep(POLL_MS);
  }
}

const answer = { answer: "At once [1].", sources: [], selected_replica: "none", worker: "none", timings };
const polling = process.argv[2] === "polling";
const server = new Elysia({ normalize: false })
  .post("/query", ({ body }) => (polling ? polled(body) : answer), { body: QueryRequest })
  .listen({ hostname: "127.0.0.1", port: 0 });
app.log.info({ url: `http://127.0.0.1:${server.server?.port}` }, "listening");
