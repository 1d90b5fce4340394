export * from "./cancellations.ts";
export * from "./connection.ts";
export * from "./consumer.ts";
export * from "./consumer-options.ts";
export * from "./outcome.ts";
export * from "./push.ts";
export type { QueueRedis } from "./scripts.ts";
export type { Caller } from "./settler.ts";
export * from "./waiter.ts";
