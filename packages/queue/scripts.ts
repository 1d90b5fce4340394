/** The queue's Lua scripts as commands of a connection, typed. Each is one operation, in a file of its own. */
import type { Redis, RedisOptions } from "ioredis";
import bury from "./lua/bury.lua" with { type: "text" };
import complete from "./lua/complete.lua" with { type: "text" };
import putBack from "./lua/put_back.lua" with { type: "text" };
import settle from "./lua/settle.lua" with { type: "text" };
import take from "./lua/take.lua" with { type: "text" };

export const scripts = {
  queueTake: { lua: take, numberOfKeys: 2 },
  queueSettle: { lua: settle, numberOfKeys: 2 },
  queueComplete: { lua: complete },
  queueBury: { lua: bury },
  queuePutBack: { lua: putBack, numberOfKeys: 2 },
} satisfies RedisOptions["scripts"];

/** Arguments and returns as each script's header says; where KEYS vary, their number comes first. */
interface QueueCommands {
  queueTake(queue: string, processing: string, n: number): Promise<string[]>;
  queueSettle(processing: string, next: string, ...pairs: string[]): Promise<number>;
  queueComplete(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  queueBury(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  queuePutBack(processing: string, queue: string): Promise<number>;
}

export type QueueRedis = Redis & QueueCommands;
