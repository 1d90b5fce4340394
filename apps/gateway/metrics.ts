/** The gateway's metrics. What lies in Redis is read when Prometheus asks; while Redis is away it is left out. */

import type { Redis } from "ioredis";
import { Counter, Gauge, type Registry } from "prom-client";
import type { Balancer, ReplicaView } from "#balancer";
import { queues, type RedisNames } from "#contracts";
import { Depths } from "#queue";
import { LATENCY_BUCKETS } from "#runtime";
import { Level, Seconds, StatusCounter } from "./counts.ts";

export function gatewayMetrics(registry: Registry, redis: Redis, names: RedisNames, balancer: Balancer) {
  const registers = [registry];
  // One look at Redis a scrape, though every gauge asks.
  let looking: Promise<ReplicaView[]> | undefined;
  const view = () => {
    looking ??= balancer
      .view()
      .catch(() => [])
      .finally(() => setTimeout(() => (looking = undefined), 100));
    return looking;
  };
  const perReplica = (name: string, help: string, value: (replica: ReplicaView) => number) =>
    new Gauge({
      name,
      help,
      labelNames: ["replica"],
      registers,
      async collect() {
        const replicas = await view();
        this.reset();
        for (const replica of replicas) this.set({ replica: replica.url }, value(replica));
      },
    });
  perReplica("api_gateway_replica_load", "Jobs in flight per replica, over all gateways", ({ load }) => load);
  perReplica("ragline_replica_running", "Requests that the replica works on now", ({ running }) => running);
  perReplica("ragline_replica_limit", "Requests at once that it may have now", ({ room }) => room);
  perReplica(
    "ragline_replica_latency_estimate_seconds",
    "What a request is expected to take there",
    ({ latency }) => latency / 1_000,
  );
  perReplica("ragline_replica_breaker", "0 closed, 1 half-open, 2 open", ({ breaker }) =>
    ["closed", "half-open", "open"].indexOf(breaker),
  );
  perReplica("ragline_replica_hangs", "1 while a replica is taken to hang", ({ hung_at }) =>
    hung_at > 0 ? 1 : 0,
  );
  const perQueue = (name: string, help: string, count: (queue: string) => Promise<number>) =>
    new Gauge({
      name,
      help,
      labelNames: ["queue"],
      registers,
      async collect() {
        this.reset();
        for (const { name: queue } of Object.values(queues)) {
          const length = await count(queue).catch(() => undefined);
          if (length !== undefined) this.set({ queue }, length);
        }
      },
    });
  const depths = new Depths(redis, names);
  perQueue("ragline_queue_depth", "Messages in a queue that no worker has taken", (queue) =>
    depths.of(queue),
  );
  perQueue(
    "ragline_dead_letters",
    "Messages laid aside as nobody could use them: see `bun run dead`",
    (queue) => redis.llen(names.dead(queue)),
  );
  const refused = new Counter({
    name: "api_gateway_refused_total",
    help: "Questions refused with 429: line_full by MAX_QUEUE_DEPTH, overloaded by MAX_EXPECTED_WAIT",
    labelNames: ["reason"],
    registers,
  });
  for (const reason of ["line_full", "overloaded"]) refused.inc({ reason }, 0);
  return {
    refused,
    queries: new StatusCounter(
      {
        name: "api_gateway_queries_total",
        help: "Questions by the HTTP status of their answer; 499 where the client hung up first",
        registers,
      },
      [200],
    ),
    embeddings: new Counter({
      name: "api_gateway_embeddings_total",
      help: "Requests for embeddings by the HTTP status of their answer; 499 where the client hung up first",
      labelNames: ["status"],
      registers,
    }),
    latency: new Seconds({
      name: "api_gateway_query_latency_seconds",
      help: "From acceptance to answer",
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    answers: new Counter({
      name: "api_gateway_answer_cache_total",
      help: "Questions where answers are kept, by what came of it: hit, miss, or passed by",
      labelNames: ["outcome"] as const,
      registers,
    }),
    first_token: new Seconds({
      name: "api_gateway_first_token_seconds",
      help: "Of streamed questions: from acceptance to the first token",
      buckets: LATENCY_BUCKETS,
      registers,
    }),
    streams: new Level({
      name: "api_gateway_open_streams",
      help: "Streams of events that clients read now",
      registers,
    }),
    active: new Level({
      name: "api_gateway_active_jobs",
      help: "Questions that this gateway waits for",
      registers,
    }),
  };
}
export type GatewayMetrics = ReturnType<typeof gatewayMetrics>;
