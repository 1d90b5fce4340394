/** The balancer's Lua scripts as commands of a connection. Each is one operation; what they share comes before it. */
import type { Redis } from "ioredis";
import alive from "./lua/alive.lua" with { type: "text" };
import change from "./lua/change.lua" with { type: "text" };
import dispatch from "./lua/dispatch.lua" with { type: "text" };
import due from "./lua/due.lua" with { type: "text" };
import finish from "./lua/finish.lua" with { type: "text" };
import guard from "./lua/guard.lua" with { type: "text" };
import health from "./lua/health.lua" with { type: "text" };
import policy from "./lua/policy.lua" with { type: "text" };
import release from "./lua/release.lua" with { type: "text" };
import replica from "./lua/replica.lua" with { type: "text" };
import reserve from "./lua/reserve.lua" with { type: "text" };
import silence from "./lua/silence.lua" with { type: "text" };
import silent from "./lua/silent.lua" with { type: "text" };
import state from "./lua/state.lua" with { type: "text" };
import sync from "./lua/sync.lua" with { type: "text" };
import view from "./lua/view.lua" with { type: "text" };

/** What decides, without any key: for the scripts here, and for a simulator. It defines `Replica`, `Silence`, `Policy`, `Guard`. */
export const decisions = `${replica}\n${silence}\n${policy}\n${guard}`;

const operations = {
  balancerAlive: alive,
  balancerChange: change,
  balancerDispatch: dispatch,
  balancerDue: due,
  balancerFinish: finish,
  balancerHealth: health,
  balancerRelease: release,
  balancerReserve: reserve,
  balancerSilent: silent,
  balancerSync: sync,
  balancerView: view,
};

/** Arguments and returns as each script's header says, after those that `state.lua` names. */
export type BalancerCommands = {
  [name in keyof typeof operations]: (...args: (string | number)[]) => Promise<unknown>;
};

export type BalancerRedis = Redis & BalancerCommands;

/** The same connection, with the scripts as commands. */
export function withBalancerScripts(redis: Redis): BalancerRedis {
  for (const [name, lua] of Object.entries(operations)) {
    // Keys follow from the prefix and from what is known of replicas: one line lies on one Redis, or one slot of it.
    redis.defineCommand(name, { lua: `${decisions}\n${state}\n${lua}`, numberOfKeys: 0 });
  }
  return redis as BalancerRedis;
}
