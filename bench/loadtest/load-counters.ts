/**
 * The counters of jobs in flight per replica: all 0 once nobody asks any more, whatever the clients did.
 * Read from Redis where REDIS_URL says where that is, or else from the gateway's metrics. Anybody else's
 * questions count too: the line must be this run's alone.
 */
import { Redis } from "ioredis";
import { redisNames } from "#contracts";

/** Replica to its count. */
export type LoadCounters = ReadonlyMap<string, number>;

export type LoadCheck =
  | { readonly kind: "idle"; readonly replicas: number }
  | { readonly kind: "leaked"; readonly loads: Record<string, number> }
  | { readonly kind: "unknown"; readonly reason: string };

export interface LoadSource {
  readonly url: string;
  readonly key?: string;
  readonly redis?: { readonly url: string; readonly prefix: string };
}

const METRIC = "api_gateway_replica_load";
const AGAIN_MS = 200;
const READ_TIMEOUT_MS = 2_000;

/** How long counters may be unreadable: a scrape may fail once. */
const UNKNOWN_WITHIN_MS = 1_000;

/** Looks until all are 0 or `within_ms` have passed: a job whose client hung up ends a moment later. */
export async function checkLoads(source: LoadSource, within_ms: number): Promise<LoadCheck> {
  const started = performance.now();
  for (;;) {
    const check = await readLoads(source).then(judge, (error: Error) => unknown(error.message));
    const patience_ms = check.kind === "unknown" ? Math.min(UNKNOWN_WITHIN_MS, within_ms) : within_ms;
    if (check.kind === "idle" || performance.now() - started >= patience_ms) return check;
    await Bun.sleep(AGAIN_MS);
  }
}

function judge(counters: LoadCounters): LoadCheck {
  const leaked = [...counters].filter(([, load]) => load !== 0);
  return leaked.length > 0
    ? { kind: "leaked", loads: Object.fromEntries(leaked) }
    : { kind: "idle", replicas: counters.size };
}

function unknown(reason: string): LoadCheck {
  return { kind: "unknown", reason };
}

function readLoads({ redis, ...gateway }: LoadSource): Promise<LoadCounters> {
  return redis ? loadsInRedis(redis.url, redis.prefix) : loadsInMetrics(gateway);
}

/** A replica without a key is idle, so none at all is idle too. */
async function loadsInRedis(url: string, prefix: string): Promise<LoadCounters> {
  const redis = new Redis(url, {
    retryStrategy: () => null,
    connectTimeout: READ_TIMEOUT_MS,
    lazyConnect: true,
  });
  // Told by the rejected command.
  redis.on("error", () => {});
  try {
    await redis.connect();
    const names = redisNames(prefix);
    const keys = new Set<string>();
    for await (const found of redis.scanStream({ match: names.load("*"), count: 1_000 }))
      for (const key of found as string[]) keys.add(key);
    const loads = keys.size > 0 ? await redis.mget([...keys]) : [];
    return new Map([...keys].map((key, i) => [key.slice(names.load("").length), Number(loads[i])]));
  } finally {
    redis.disconnect();
  }
}

async function loadsInMetrics({ url, key }: Omit<LoadSource, "redis">): Promise<LoadCounters> {
  const headers: Record<string, string> = key ? { authorization: `Bearer ${key}` } : {};
  const response = await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(READ_TIMEOUT_MS) });
  if (!response.ok) throw new Error(`GET /metrics was answered with ${response.status}`);
  const sample = new RegExp(`^${METRIC}\\{(?:[^}]*,)?replica="([^"]*)"[^}]*\\} (\\S+)`, "gm");
  const loads = new Map<string, number>();
  for (const [, replica = "", load] of (await response.text()).matchAll(sample))
    loads.set(replica, Number(load));
  if (loads.size === 0) throw new Error(`GET /metrics holds no ${METRIC}`);
  return loads;
}
