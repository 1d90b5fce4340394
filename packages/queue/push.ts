import type { Static, TSchema } from "@sinclair/typebox";
import type { Redis } from "ioredis";
import type { Queue, RedisNames } from "#contracts";
import { ContractError } from "./outcome.ts";

/** `message` as it lies in Redis. @throws ContractError if it does not fit its queue. */
export function encode<S extends TSchema>(
  queue: Pick<Queue<S>, "name" | "message">,
  message: Static<S>,
): string {
  if (!queue.message.check(message)) {
    throw new ContractError(`a message for ${queue.name} does not fit: ${queue.message.explain(message)}`);
  }
  return JSON.stringify(message);
}

/**
 * Adds a message to a queue; resolves with the queue's depth, this message included.
 * @throws ContractError if it does not fit; rejects as the connection does if Redis cannot be reached.
 */
export function push<S extends TSchema>(
  redis: Redis,
  names: RedisNames,
  queue: Queue<S>,
  message: Static<S>,
): Promise<number> {
  return redis.lpush(names.queue(queue.name), encode(queue, message));
}
