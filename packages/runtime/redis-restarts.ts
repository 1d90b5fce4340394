/**
 * After Redis was started, its append-only file is rewritten once.
 *
 * A Redis that is killed while it writes a script's effects leaves a MULTI without its EXEC in the file. Its next start
 * removes only the command that was cut short and goes on behind the open MULTI; the start after that then runs what
 * had been torn, too, and messages that were handed on are there twice. (Valkey has corrected it: valkey-io/valkey#4342.)
 * A rewritten file holds what Redis holds, and no such rest.
 */

import type { Redis } from "ioredis";
import { parseInfo } from "./boot-check.ts";

/** A Redis that has run for longer was found by others when it started. */
const JUST_STARTED_S = 60;

/**
 * Watches a connection for a Redis that has just started. Where a user may not rewrite the file, or another process is
 * first, nothing happens.
 */
export function rewriteAfterRestart(redis: Redis): void {
  const rewrite = async () => {
    const info = parseInfo(await redis.info());
    const once = info.get("aof_rewrites") ?? "0"; // told by Redis 7 and newer
    if (info.get("aof_enabled") !== "1" || once !== "0") return;
    if (Number(info.get("uptime_in_seconds")) < JUST_STARTED_S) await redis.bgrewriteaof();
  };
  redis.on("ready", () => rewrite().catch(() => {}));
}
