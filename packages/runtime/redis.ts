/** Redis as every app is configured for it. */

import { Type } from "@sinclair/typebox";
import type { Redis } from "ioredis";
import type { Report } from "#queue";
import type { Logger } from "./logger.ts";

export const redisSettings = {
  REDIS_URL: Type.String({
    pattern: "^rediss?://",
    default: "redis://127.0.0.1:6379",
    description: "Redis 6.2 or newer: `redis://[user:password@]host:port[/db]`, or `rediss://` over TLS",
  }),
  REDIS_PREFIX: Type.String({
    default: "",
    description: "Put before every key and channel: lets several lines share one Redis",
  }),
};

export interface RedisConfig {
  readonly REDIS_URL: string;
  readonly REDIS_PREFIX: string;
}

/** Logs an outage of Redis, with what the reader can do. */
export function reportTo(log: Logger): Report {
  return ({ connection, error }) =>
    log.error(
      { connection, err: error },
      "Redis does not answer: is it running, and is REDIS_URL right? Trying again",
    );
}

export async function redisReady(redis: Redis): Promise<{ ok: boolean; detail?: string }> {
  if (redis.status !== "ready") return { ok: false, detail: `connection is ${redis.status}` };
  try {
    await redis.ping();
    return { ok: true };
  } catch (error) {
    return { ok: false, detail: String(error) };
  }
}
