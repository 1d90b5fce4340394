/** The gateway: takes questions, sends them down the line, answers with what comes back. */
import { Balancer } from "#balancer";
import { MAX_DOCUMENT_BYTES, queues, redisNames } from "#contracts";
import {
  Admission,
  Canceller,
  CompletionWaiter,
  connectBlocking,
  connectProducer,
  connectSubscriber,
  JobPlaces,
  questionLine,
} from "#queue";
import {
  balancerSettings,
  checkRedis,
  configOrExit,
  followReplicas,
  openStoreOrExit,
  redisReady,
  reportTo,
  startApp,
  startHealthServer,
} from "#runtime";
import { networksOrExit } from "#webhook";
import { AnswerCache } from "./answer-cache.ts";
import type { Line } from "./ask.ts";
import { answerSettingsOf, gatewaySettings } from "./config.ts";
import { objectionToHost } from "./keys/binding.ts";
import { KeyGuard, OpenGuard } from "./keys/guard.ts";
import { gatewayMetrics } from "./metrics.ts";
import { createGateway, type Duty } from "./server.ts";
import { TokenReader } from "./stream/token-reader.ts";

/** For Redis to take a document of 20 MB, behind others. */
const UPLOAD_TIMEOUT_MS = 10_000;

const config = configOrExit(gatewaySettings);
const objection = objectionToHost(config);
if (objection) {
  console.error(objection);
  process.exit(2);
}
const app = startApp("gateway", config);
const gateway = `gateway-${crypto.randomUUID()}`;
const names = redisNames(config.REDIS_PREFIX);
const report = reportTo(app.log);
const redis = connectProducer(config.REDIS_URL, report);
const subscriber = connectSubscriber(config.REDIS_URL, report);
/** Of its own: a document of 20 MB on its way would hold up the questions behind it. */
const uploads = connectProducer(config.REDIS_URL, report, UPLOAD_TIMEOUT_MS);
const tokens = connectBlocking(config.REDIS_URL, report);
checkRedis(redis, app.log);
const store = openStoreOrExit(config, true);
const balancer = new Balancer(redis, names, balancerSettings(config));
const waiter = new CompletionWaiter(gateway, redis, subscriber, names, (error) =>
  app.log.debug({ err: error }, "completions are looked up again"),
);
const metrics = gatewayMetrics(app.registry, redis, names, balancer);
const duty: Duty = { draining: false, active: 0 };
const guard = config.API_KEYS
  ? new KeyGuard(redis, names, config.UNKNOWN_KEYS_PER_MINUTE, config.TENANT_TURNS)
  : new OpenGuard();
const ready = async () => ({ redis: await redisReady(redis), notices: await redisReady(subscriber) });
const answers =
  config.ANSWER_CACHE_SECONDS > 0
    ? new AnswerCache({
        redis,
        names,
        store,
        settings: answerSettingsOf(config),
        ttl_s: config.ANSWER_CACHE_SECONDS,
        max_bytes: config.ANSWER_CACHE_BYTES,
        observe: (outcome) => metrics.answers.inc({ outcome }),
      })
    : undefined;
const line: Line = {
  gateway,
  answers,
  admission: new Admission(redis, names, questionLine, config.MAX_QUEUE_DEPTH, config.MAX_EXPECTED_WAIT),
  embeddings: new Admission(
    redis,
    names,
    [queues.encoderIn],
    config.MAX_QUEUE_DEPTH,
    config.MAX_EXPECTED_WAIT,
  ),
  balancer,
  waiter,
  canceller: new Canceller(redis, names),
  timeout_ms: config.QUERY_TIMEOUT_MS,
  log: app.log,
  refused: (reason) => metrics.refused.inc({ reason }),
};
const server = createGateway({
  app,
  guard,
  body_timeout_ms: config.BODY_TIMEOUT_MS,
  log_questions: config.LOG_QUESTIONS,
  line,
  streams: {
    line,
    reader: new TokenReader(gateway, tokens, redis, names),
    metrics,
    duty,
    heartbeat_ms: config.STREAM_HEARTBEAT_MS,
  },
  places: new JobPlaces(redis, names, questionLine),
  webhooks: {
    names,
    allowed: networksOrExit(config),
    has_secret: config.WEBHOOK_SECRET !== undefined,
  },
  metrics,
  duty,
  documents: {
    app,
    submission: {
      gateway,
      redis: uploads,
      names,
      admission: new Admission(uploads, names, [queues.indexIn], config.MAX_QUEUE_DEPTH),
      timeout_ms: config.DOCUMENT_TIMEOUT_MS,
    },
    store,
    waiter,
    body_timeout_ms: config.BODY_TIMEOUT_MS,
    duty,
  },
  ready,
});

waiter.start();
// The first question should not meet a connection that is still being made; without Redis it is 503 all the same.
await Promise.race([new Promise<void>((resolve) => redis.once("ready", resolve)), Bun.sleep(1_000)]);
const unfollow = followReplicas(config, balancer, app.log);
try {
  // Without reusePort: a second gateway on a taken port must fail, not share it silently.
  server.listen({
    hostname: config.HOST,
    port: config.PORT,
    idleTimeout: 255,
    reusePort: false,
    maxRequestBodySize: 2 * MAX_DOCUMENT_BYTES,
  });
} catch (error) {
  console.error(
    `cannot listen on ${config.HOST}:${config.PORT}: ${(error as Error).message}. Set PORT to a free port`,
  );
  process.exit(2);
}
app.onStop(async (drain_ms) => {
  duty.draining = true;
  const until = performance.now() + drain_ms;
  while (duty.active > 0 && performance.now() < until) await Bun.sleep(20);
  await server.server?.stop(true);
  waiter.close();
  unfollow();
  redis.disconnect();
  uploads.disconnect();
  subscriber.disconnect();
  tokens.disconnect();
  await store.close();
});
startHealthServer(app, config, ready);
app.log.info({ url: `http://${config.HOST}:${server.server?.port}` }, "listening");
