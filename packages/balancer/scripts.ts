/** The balancer's Lua scripts, run on any connection. */
import type { Redis } from "ioredis";
import loads from "./lua/loads.lua" with { type: "text" };
import release from "./lua/release.lua" with { type: "text" };
import reserve from "./lua/reserve.lua" with { type: "text" };

interface BalancerCommands {
  balancerReserve(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  balancerRelease(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  balancerLoads(keys: number, ...keys_to_count: string[]): Promise<number[]>;
}

/** The same connection, with the scripts as commands. */
export function withBalancerScripts(redis: Redis): Redis & BalancerCommands {
  redis.defineCommand("balancerReserve", { lua: reserve });
  redis.defineCommand("balancerRelease", { lua: release });
  redis.defineCommand("balancerLoads", { lua: loads });
  return redis as Redis & BalancerCommands;
}
