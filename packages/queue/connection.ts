/**
 * Connections to Redis, one kind per use. The options are measured, not taste: each was needed for a
 * client to come back by itself after Redis was killed, paused or cut off.
 *
 * - worker: waits for Redis as long as it takes, and sends again what was not answered.
 * - blocking: as worker, for commands that wait at the server. A connection of its own, as everything
 *   behind a waiting command waits too.
 * - producer: fails fast, so that a caller hears of an outage within a second instead of queueing in memory.
 *
 * A server that is gone without a word is found by `socketTimeout`: no data came though a command waits for its reply.
 * The connection is then made anew, and the command sent again.
 */
import { Redis, type RedisOptions } from "ioredis";
import { scripts } from "./scripts.ts";
import "./tracing-channels.ts";

/**
 * How long a reply may take beyond what its command waits at the server, in ms: longer than Redis stalls for a fork or
 * a disk, and short enough that a heartbeat finds a new connection within the default lease.
 */
const REPLY_TIMEOUT_MS = 2_000;

const reconnecting: RedisOptions = {
  retryStrategy: (attempt) => Math.min(50 * attempt, 500),
  maxLoadingRetryTime: 300,
  maxRetriesPerRequest: null,
  socketTimeout: REPLY_TIMEOUT_MS,
  // With `autoResendUnfulfilledCommands: false` a command that was under way hangs for good.
};

/**
 * How long a blocking command may wait at the server, in seconds: well under the socket's own time-out, and as long as
 * an idle consumer may overlook the retry lane.
 */
export const BLOCK_SECONDS = 1;

/** How a producer's caller waits at most for one command, in ms. */
const PRODUCER_TIMEOUT_MS = 800;

export type Report = (event: { connection: string; error: Error }) => void;

export function connectWorker(url: string, report: Report): Redis {
  return reporting(new Redis(url, { ...reconnecting, scripts }), "worker", report);
}

export function connectBlocking(url: string, report: Report): Redis {
  const socketTimeout = BLOCK_SECONDS * 1_000 + REPLY_TIMEOUT_MS;
  return reporting(new Redis(url, { ...reconnecting, socketTimeout }), "blocking", report);
}

export function connectSubscriber(url: string, report: Report): Redis {
  return reporting(new Redis(url, reconnecting), "subscriber", report);
}

/** @param timeout_ms for one command: more where messages are large. */
export function connectProducer(url: string, report: Report, timeout_ms = PRODUCER_TIMEOUT_MS): Redis {
  const options: RedisOptions = {
    ...reconnecting,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    commandTimeout: timeout_ms,
    connectTimeout: PRODUCER_TIMEOUT_MS,
    enableAutoPipelining: true,
    autoPipeliningIgnoredCommands: ["mget"], // it is many in one already: no wait for others
  };
  return reporting(new Redis(url, options), "producer", report);
}

/** Reports an outage once, not once per attempt to reconnect. */
function reporting(redis: Redis, connection: string, report: Report): Redis {
  let down = false;
  redis.on("error", (error: Error) => {
    if (!down) report({ connection, error });
    down = true;
  });
  redis.on("ready", () => {
    down = false;
  });
  return redis;
}
