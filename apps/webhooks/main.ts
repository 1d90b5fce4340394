/** Webhooks: tells whoever asked for it how a job ended. */
import { Counter } from "prom-client";
import { completions, queues } from "#contracts";
import { configOrExit, runStage } from "#runtime";
import { networksOrExit } from "#webhook";
import { webhooksSettings } from "./config.ts";
import { type Delivery, deliverer } from "./deliver.ts";

/** Receivers are others' servers: most of the time they are waited for. */
const CONCURRENCY = 32;

const config = configOrExit(webhooksSettings);
const deliveries = new Counter({
  name: "ragline_webhook_deliveries_total",
  help: "Tries to deliver a webhook, by what came of them: delivered, failed (tried again), gone, refused",
  labelNames: ["outcome"] as const,
  registers: [],
});
for (const outcome of ["delivered", "failed", "gone", "refused"] as const) deliveries.inc({ outcome }, 0);

await runStage({
  name: "webhooks",
  config,
  from: queues.webhookIn,
  to: completions,
  concurrency: CONCURRENCY,
  register: (registry) => registry.registerMetric(deliveries),
  handle: deliverer({
    allowed: networksOrExit(config),
    secret: config.WEBHOOK_SECRET,
    timeout_ms: config.WEBHOOK_TIMEOUT_MS,
    observe: (outcome: Delivery) => deliveries.inc({ outcome }),
  }),
});
