/**
 * The gateway with the line stubbed, over IPC. Real: all of apps/gateway, which is Elysia, the guard (without keys), reading and checking
 * the body, accepting, the answer's body, errors, metrics, the log. Stubbed is what it talks to the line by, each call resolving at
 * once: a replica is reserved and released, the job is admitted, its completion is there.
 */
import { redisNames } from "#contracts";
import { connectProducer, JobPlaces, questionLine } from "#queue";
import { startApp } from "#runtime";
import type { Line } from "../../apps/gateway/ask.ts";
import { OpenGuard } from "../../apps/gateway/keys/guard.ts";
import { gatewayMetrics } from "../../apps/gateway/metrics.ts";
import { createGateway } from "../../apps/gateway/server.ts";
import { answered } from "../gateway/answered.ts";
import { serveMeasured } from "../gateway/measured-server.ts";

const app = startApp("gateway", { LOG_LEVEL: "info", DRAIN_SECONDS: 0 });
/** Nothing asks it: it only has to be there. */
const redis = connectProducer("redis://127.0.0.1:1", () => {});
redis.disconnect();
const names = redisNames();
const duty = { draining: false, active: 0 };
const timeout_ms = 60_000;
const line = {
  gateway: "gateway-bench",
  admission: { admit: async () => ({ kind: "admitted" }) },
  balancer: { reserve: async () => answered.selected_replica, release: async () => {} },
  waiter: { wait: async (job_id: string) => ({ ...answered, job_id }), forget() {} },
  canceller: { cancel: async () => {} },
  timeout_ms,
  log: app.log,
} as unknown as Line;
const metrics = gatewayMetrics(app.registry, redis, names, line.balancer);
const gateway = createGateway({
  app,
  guard: new OpenGuard(),
  body_timeout_ms: timeout_ms,
  log_questions: false,
  line,
  streams: { line, reader: undefined as never, metrics, duty, heartbeat_ms: 5_000 },
  places: new JobPlaces(redis, names, questionLine),
  webhooks: { names, allowed: [], has_secret: false },
  metrics,
  duty,
  documents: {
    app,
    submission: { gateway: line.gateway, redis, names, admission: line.admission as never, timeout_ms },
    store: undefined as never,
    waiter: line.waiter,
    body_timeout_ms: timeout_ms,
    duty,
  },
  ready: async () => ({}),
});
gateway.listen({ hostname: "127.0.0.1", port: 0 });
serveMeasured(gateway.server!.port!);
