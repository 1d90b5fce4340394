/** Whose turn a message waits for, where messages of several tenants wait: see lua/lanes.lua. */
import { DEFAULT_TENANT, type Envelope } from "#contracts";

/** A weight of 0 is of messages without turns, which wait in the order in which they came. */
export type Turn = readonly [tenant: string, weight: number];

export function turnOf({
  tenant = DEFAULT_TENANT,
  priority = 0,
}: Pick<Envelope, "tenant" | "priority">): Turn {
  return [tenant, priority];
}

/** Whether a message may have others behind it that no consumer was woken for. */
export function mayHideOthers(message: string): boolean {
  return message.endsWith(" ");
}
