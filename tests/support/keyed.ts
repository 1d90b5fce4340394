/** Gateways that ask for API keys, on a Redis and a store of their own, with nobody at work behind them. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { redisNames } from "#contracts";
import { type KeyGrant, KeyStore } from "../../apps/gateway/keys/key-store.ts";
import { startProcess, type TestProcess } from "./process.ts";
import { startRedis, type TestRedis } from "./redis.ts";

export interface KeyedGateways {
  readonly urls: readonly string[];
  readonly processes: readonly TestProcess[];
  readonly redis: TestRedis;
  readonly keys: KeyStore;
  /** The secret of a new key. */
  key(grant?: Partial<KeyGrant>): Promise<string>;
  stop(): Promise<void>;
}

const AMPLE: KeyGrant = { tenant: "a", requests_per_minute: 1_000_000, tokens_per_day: 1e12, priority: 1 };

export async function startKeyedGateways(
  count = 1,
  env: Record<string, string> = {},
): Promise<KeyedGateways> {
  const data_dir = mkdtempSync(join(tmpdir(), "ragline-"));
  const redis = await startRedis();
  const processes = Array.from({ length: count }, () =>
    startProcess("apps/gateway/main.ts", {
      REDIS_URL: redis.url,
      DATA_DIR: data_dir,
      PORT: "0",
      API_KEYS: "true",
      DRAIN_SECONDS: "0",
      ...env,
    }),
  );
  const listening = await Promise.all(processes.map((gateway) => gateway.line('"msg":"listening"')));
  const keys = new KeyStore(redis.client, redisNames());
  return {
    urls: listening.map((line) => JSON.parse(line).url as string),
    processes,
    redis,
    keys,
    async key(grant = {}) {
      return (await keys.create({ ...AMPLE, ...grant })).secret;
    },
    async stop() {
      await Promise.all(processes.map((gateway) => gateway.stop()));
      await redis.stop();
      rmSync(data_dir, { recursive: true, force: true });
    },
  };
}

/** The headers that carry a key, in both ways. */
export const carriers: readonly [name: string, (secret: string) => Record<string, string>][] = [
  ["Authorization: Bearer", (secret) => ({ authorization: `Bearer ${secret}` })],
  ["X-API-Key", (secret) => ({ "x-api-key": secret })],
];
