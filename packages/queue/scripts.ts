/**
 * The queue's Lua scripts as commands of a connection, typed. Each is one operation, in a file of its own; what several
 * share comes before them.
 */
import type { Redis, RedisOptions } from "ioredis";
import beat from "./lua/beat.lua" with { type: "text" };
import bury from "./lua/bury.lua" with { type: "text" };
import complete from "./lua/complete.lua" with { type: "text" };
import delay from "./lua/delay.lua" with { type: "text" };
import follow from "./lua/follow.lua" with { type: "text" };
import lanes from "./lua/lanes.lua" with { type: "text" };
import pace from "./lua/pace.lua" with { type: "text" };
import promote from "./lua/promote.lua" with { type: "text" };
import putBack from "./lua/put_back.lua" with { type: "text" };
import reap from "./lua/reap.lua" with { type: "text" };
import settle from "./lua/settle.lua" with { type: "text" };
import take from "./lua/take.lua" with { type: "text" };

export const scripts = {
  queueTake: { lua: `${lanes}\n${take}`, numberOfKeys: 3 },
  queueSettle: { lua: `${lanes}\n${pace}\n${settle}`, numberOfKeys: 4 },
  queueComplete: { lua: `${follow}\n${pace}\n${complete}` },
  queueBury: { lua: `${follow}\n${bury}` },
  queueDelay: { lua: delay, numberOfKeys: 3 },
  queuePromote: { lua: `${lanes}\n${promote}`, numberOfKeys: 2 },
  queueBeat: { lua: beat, numberOfKeys: 2 },
  queueReap: { lua: `${follow}\n${reap}`, numberOfKeys: 4 },
  queuePutBack: { lua: putBack, numberOfKeys: 3 },
} satisfies RedisOptions["scripts"];

/** Arguments and returns as each script's header says; where KEYS vary, their number comes first. */
interface QueueCommands {
  queueTake(
    queue: string,
    processing: string,
    retry: string,
    n: number,
    held: number,
  ): Promise<[lane: Lane, ...string[]]>;
  queueSettle(
    processing: string,
    next: string,
    deliveries: string,
    queue: string,
    ...moves: (string | number)[]
  ): Promise<number>;
  queueComplete(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  queueBury(keys: number, ...keys_and_arguments: (string | number | Buffer)[]): Promise<number>;
  queueDelay(
    processing: string,
    delayed: string,
    deliveries: string,
    message: string,
    successor: string,
    ms: number,
  ): Promise<number>;
  queuePromote(delayed: string, queue: string): Promise<number>;
  queueBeat(consumers: string, processing: string, consumer: string, lease_ms: number): Promise<number>;
  queueReap(
    consumers: string,
    deliveries: string,
    dead: string,
    retry: string,
    ...rest: (string | number)[]
  ): Promise<[returned: number, buried: number]>;
  queuePutBack(processing: string, queue: string, consumers: string, consumer: string): Promise<number>;
}

/** Where taken messages came from; `drain` where none may be taken before all held ones are done. */
export type Lane = "queue" | "retry" | "drain";

export type QueueRedis = Redis & QueueCommands;
