/** The balancer's Lua scripts, run on any connection. */
import type { Redis } from "ioredis";
import release from "./lua/release.lua" with { type: "text" };
import reserve from "./lua/reserve.lua" with { type: "text" };

interface BalancerCommands {
  balancerReserve(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number>;
  balancerRelease(keys: number, ...keys_and_arguments: (string | number)[]): Promise<number[]>;
}

/** The same connection, with the scripts as commands. */
export function withBalancerScripts(redis: Redis): Redis & BalancerCommands {
  redis.defineCommand("balancerReserve", { lua: reserve });
  redis.defineCommand("balancerRelease", { lua: release });
  return redis as Redis & BalancerCommands;
}
