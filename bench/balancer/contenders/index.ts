import type { PolicyName } from "#balancer";
import type { Contender } from "../contender.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { findProxy, proxy } from "./proxy.ts";
import { ragline } from "./ragline.ts";

/** @param hedge_budget above 0: each policy with hedging, too. */
export function contenders(policies: readonly PolicyName[], hedge_budget = 0): Contender[] {
  const budgets = hedge_budget > 0 ? [0, hedge_budget] : [0];
  const own = policies.flatMap((policy) => budgets.map((budget) => ragline(policy, budget)));
  return [...own, proxy(haproxy), proxy(nginx)];
}

/** Proxies that this machine lacks. */
export function missingProxies(): string[] {
  return ([haproxy.name, nginx.name] as const).filter((name) => !findProxy(name));
}
