import type { PolicyName } from "#balancer";
import type { Contender } from "../contender.ts";
import { haproxy } from "./haproxy.ts";
import { nginx } from "./nginx.ts";
import { findProxy, proxy } from "./proxy.ts";
import { ragline } from "./ragline.ts";

export function contenders(policies: readonly PolicyName[]): Contender[] {
  return [...policies.map(ragline), proxy(haproxy), proxy(nginx)];
}

/** Proxies that this machine lacks. */
export function missingProxies(): string[] {
  return ([haproxy.name, nginx.name] as const).filter((name) => !findProxy(name));
}
