/**
 * Bun's tracing channels lack `hasSubscribers`, which Node's have. ioredis takes that for a yes, and describes every
 * command to nobody: a copy of all its arguments, and a promise more. So they get it here, as Node says it.
 */
import { type Channel, tracingChannel } from "node:diagnostics_channel";

const EVENTS = ["start", "end", "asyncStart", "asyncEnd", "error"] as const;

const prototype = Object.getPrototypeOf(tracingChannel("ioredis:command"));
if (!("hasSubscribers" in prototype)) {
  Object.defineProperty(prototype, "hasSubscribers", {
    configurable: true,
    get(this: Record<(typeof EVENTS)[number], Channel>) {
      return EVENTS.some((event) => this[event].hasSubscribers);
    },
  });
}
