/** What an operator sees of the encoder besides its stage: what it remembered, and how well batches were filled. */
import { Counter, Histogram, type Registry } from "prom-client";
import type { ModelRun } from "#embedding";
import { LATENCY_BUCKETS } from "#runtime";
import type { Origin } from "./question-vectors.ts";

export function encoderMetrics() {
  const registers: Registry[] = [];
  const questions = new Counter({
    name: "ragline_encoder_questions_total",
    help: "Questions by where their vectors came from: memory, redis, model. The hit ratio is that of the first two",
    labelNames: ["origin"] as const,
    registers,
  });
  const tokens = new Counter({
    name: "ragline_encoder_tokens_total",
    help: "Tokens that went through the model: of questions (text), and to fill batches (padding)",
    labelNames: ["kind"] as const,
    registers,
  });
  const runs = new Histogram({
    name: "ragline_encoder_inference_seconds",
    help: "One inference, as long as it kept its cores",
    buckets: LATENCY_BUCKETS,
    registers,
  });
  // A ratio needs its series to exist before the first event.
  for (const origin of ["memory", "redis", "model"] as const) questions.inc({ origin }, 0);
  for (const kind of ["text", "padding"]) tokens.inc({ kind }, 0);

  return {
    /** Shows them among the metrics of an app. */
    register(registry: Registry): void {
      registry.registerMetric(questions);
      registry.registerMetric(tokens);
      registry.registerMetric(runs);
    },
    question(origin: Origin): void {
      questions.inc({ origin });
    },
    run({ tokens: text, padding, ms }: ModelRun): void {
      tokens.inc({ kind: "text" }, text);
      tokens.inc({ kind: "padding" }, padding);
      runs.observe(ms / 1_000);
    },
  };
}
