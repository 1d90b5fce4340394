/** Runs one stage of the line as a process: the shared consumer, wired to logs, metrics and an orderly end. */

import { type Static, type TSchema, Type } from "@sinclair/typebox";
import type { Registry } from "prom-client";
import { type Completions, type Queue, redisNames, type Stage } from "#contracts";
import {
  Cancellations,
  Consumer,
  type ConsumerEvent,
  connectBlocking,
  connectWorker,
  type HandlerContext,
  type Outcome,
  type QueueRedis,
} from "#queue";
import { type App, type AppConfig, startApp } from "./app.ts";
import { checkRedis } from "./boot-check.ts";
import { type HealthConfig, type ReadyCheck, startHealthServer } from "./health-server.ts";
import { type RedisConfig, redisReady, reportTo } from "./redis.ts";
import { rewriteAfterRestart } from "./redis-restarts.ts";
import { stageMetrics } from "./stage-metrics.ts";

/** Longer than any batch should take: a main thread that is busy for longer hangs. */
const STALL_MS = 10_000;

export const leaseSettings = {
  LEASE_MS: Type.Integer({
    minimum: 200,
    default: 5_000,
    description:
      "How long a worker that shows no life keeps its jobs: shorter recovers sooner, and takes a long pause for a death, ms",
  }),
  MAX_DELIVERIES: Type.Integer({
    minimum: 1,
    default: 3,
    description: "How often a job may be given back by dead workers before it is laid aside as a dead letter",
  }),
};

interface LeaseConfig {
  readonly LEASE_MS: number;
  readonly MAX_DELIVERIES: number;
}

interface StageBase<In extends TSchema, Out extends TSchema> {
  readonly name: Stage;
  readonly config: AppConfig & HealthConfig & RedisConfig & LeaseConfig;
  readonly from: Queue<In>;
  readonly to: Queue<Out> | Completions<Out>;
  /** Jobs beyond those being handled that are taken ahead, so that a handler that computes need not wait for Redis. */
  readonly lookahead?: number;
  /** Dependencies besides Redis. */
  readonly ready?: ReadyCheck;
  /** For metrics of the stage's own; called before anything is taken. */
  readonly register?: (registry: Registry) => void;
  /** Called last, when no handler runs any more. */
  readonly close?: () => Promise<void>;
}

/** A stage that handles one job at a time, up to `concurrency` of them at once. */
export interface OneByOne<In extends TSchema, Out extends TSchema> extends StageBase<In, Out> {
  readonly handle: (job: Static<In>, context: HandlerContext) => Promise<Static<Out>>;
  readonly concurrency: number;
  /** How many jobs to take at once, and the next only when these have begun: see `ConsumerOptions`. */
  readonly paced?: () => number;
}

/** A stage whose handler gets up to `batch` jobs together. */
export interface InBatches<In extends TSchema, Out extends TSchema> extends StageBase<In, Out> {
  readonly handleBatch: (jobs: Static<In>[], context: HandlerContext) => Promise<Outcome<Static<Out>>[]>;
  readonly batch: number;
  /** Calls at a time. Default: 1. */
  readonly concurrency?: number;
}

/** Starts the stage; resolves when it takes messages. The process then lives until it is told to stop. */
export async function runStage<In extends TSchema, Out extends TSchema>(
  stage: OneByOne<In, Out> | InBatches<In, Out>,
): Promise<App> {
  const { name, config, from, to, lookahead = 0 } = stage;
  const app = startApp(name, config);
  stage.register?.(app.registry);
  const report = reportTo(app.log);
  const redis = connectWorker(config.REDIS_URL, report) as QueueRedis;
  const blocking = connectBlocking(config.REDIS_URL, report);
  const notices = connectBlocking(config.REDIS_URL, report);
  checkRedis(redis, app.log);
  rewriteAfterRestart(redis);
  const names = redisNames(config.REDIS_PREFIX);
  const { handle, batch, concurrency, paced } = handling(stage);
  const consumer = new Consumer({
    stage: name,
    from,
    to,
    handle,
    batch,
    concurrency,
    paced,
    prefetch: batch * concurrency + lookahead,
    redis,
    blocking,
    names,
    lease: {
      url: config.REDIS_URL,
      lease_ms: config.LEASE_MS,
      max_deliveries: config.MAX_DELIVERIES,
      stall_ms: Math.max(STALL_MS, 2 * config.LEASE_MS),
    },
    cancellations: new Cancellations(notices, names, redis),
    observe: observer(app, name),
  });

  app.onStop(async () => {
    redis.disconnect();
    blocking.disconnect();
    notices.disconnect();
    await stage.close?.();
  });
  app.onStop((drain_ms) => consumer.stop(drain_ms));
  startHealthServer(app, config, async () => ({
    redis: await redisReady(redis),
    ...(await stage.ready?.()),
  }));
  consumer.start();
  app.log.info({ consumer: consumer.id, from: from.name, to: to.name }, "taking messages");
  return app;
}

function handling<In extends TSchema, Out extends TSchema>(stage: OneByOne<In, Out> | InBatches<In, Out>) {
  if ("handleBatch" in stage) {
    const { handleBatch, batch, concurrency = 1 } = stage;
    return { handle: handleBatch, batch, concurrency, paced: undefined };
  }
  const handle = async (jobs: Static<In>[], context: HandlerContext) =>
    Promise.all(jobs.map((job) => stage.handle(job, context)));
  return { handle, batch: 1, concurrency: stage.concurrency, paced: stage.paced };
}

function observer(app: App, stage: Stage): (event: ConsumerEvent) => void {
  const metrics = stageMetrics(app.registry, stage);
  return (event) => {
    switch (event.kind) {
      case "done": {
        metrics.done(event.outcome, event.timing);
        const { job_id, timing, error } = event;
        if (event.outcome === "ok") app.log.debug({ job_id, ...timing }, "done");
        else if (event.outcome === "cancelled") app.log.info({ job_id, ...timing }, "cancelled");
        else app.log.warn({ job_id, ...timing, err: error }, event.outcome);
        return;
      }
      case "dead":
        metrics.dead();
        app.log.error({ job_id: event.job_id, reason: event.reason, letters: event.letters }, "dead letter");
        return;
      case "retry":
        metrics.retried();
        app.log.warn(
          { job_id: event.job_id, attempt: event.attempt, delay_ms: event.delay_ms, err: event.error },
          "retry",
        );
        return;
      case "reaped":
        metrics.reaped(event.returned, event.buried);
        app.log.warn({ returned: event.returned, buried: event.buried }, "took back what dead workers held");
        return;
      case "reconciled":
        app.log.warn({ adopted: event.adopted, lost: event.lost }, "reconciled with Redis");
        return;
      case "trouble":
        app.log.error({ err: event.error }, "Redis refused or did not answer: trying again");
    }
  };
}
