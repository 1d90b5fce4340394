/**
 * Whether the Redis that a process was given can keep the line's promise, as far as Redis says so itself.
 *
 * Managed Redis often forbids CONFIG; INFO says all but the snapshot schedule.
 */
import { type Redis, ReplyError } from "ioredis";
import type { Logger } from "./logger.ts";

/** The oldest that has BLMOVE, and RPOP with a count. */
const MINIMUM = "6.2";

/** What `INFO` says, by name. */
export type RedisInfo = ReadonlyMap<string, string>;

/**
 * Looks at Redis once, as soon as the connection is ready: settings that can lose jobs are warned of, and a Redis
 * that is too old ends the process with one line on stderr and exit code 2. Resolves when it has looked, which
 * without a Redis is never: a start need not wait for it. Never rejects.
 */
export async function checkRedis(redis: Redis, log: Logger): Promise<void> {
  for (;;) {
    if (redis.status !== "ready") await new Promise<void>((resolve) => redis.once("ready", resolve));
    try {
      const info = parseInfo(await redis.info());
      const version = info.get("redis_version");
      if (version !== undefined && isOlder(version, MINIMUM)) {
        console.error(
          `Redis ${version} is too old: Ragline needs ${MINIMUM} or newer. Update it, or set REDIS_URL to another`,
        );
        process.exit(2);
      }
      for (const warning of redisWarnings(info, await snapshots(redis))) log.warn(warning);
      return;
    } catch (error) {
      if (error instanceof ReplyError) {
        log.warn(
          { err: error },
          "Redis does not let this user call INFO: its version and settings go unchecked",
        );
        return;
      }
      // The connection went meanwhile: the next one is looked at.
    }
  }
}

/** Whether a version such as `6.0.16` comes before `minimum`, number by number. */
export function isOlder(version: string, minimum: string): boolean {
  const wanted = minimum.split(".").map(Number);
  const given = version.split(".").map((part) => Number.parseInt(part, 10) || 0);
  const differs = wanted.findIndex((number, i) => number !== (given[i] ?? 0));
  return differs >= 0 && (given[differs] ?? 0) < wanted[differs]!;
}

export function parseInfo(text: string): RedisInfo {
  const lines = text.split(/\r?\n/).filter((line) => line.includes(":"));
  return new Map(lines.map((line) => [line.slice(0, line.indexOf(":")), line.slice(line.indexOf(":") + 1)]));
}

/**
 * What could lose jobs, and what to do about it.
 * @param schedule of snapshots, as `CONFIG GET save` says it; `undefined` where that is forbidden.
 */
export function redisWarnings(info: RedisInfo, schedule: string | undefined): string[] {
  const warnings: string[] = [];
  const policy = info.get("maxmemory_policy");
  // Warned of even without a maxmemory: it can be set at any time, and jobs would go without a word.
  if (policy !== undefined && policy !== "noeviction") {
    warnings.push(
      `Redis may evict jobs and answers when its memory is full: set maxmemory-policy to noeviction (it is ${policy})`,
    );
  }
  if (info.get("aof_enabled") === "0" && !schedule) {
    const no_snapshots =
      schedule === undefined ? "does not say whether it takes snapshots" : "takes no snapshots";
    warnings.push(
      `Redis writes no append-only file and ${no_snapshots}: a restart of it would lose every job under way. Set appendonly to yes`,
    );
  }
  return warnings;
}

async function snapshots(redis: Redis): Promise<string | undefined> {
  try {
    const [, schedule] = (await redis.config("GET", "save")) as string[];
    return schedule;
  } catch (error) {
    if (error instanceof ReplyError) return undefined;
    throw error;
  }
}
