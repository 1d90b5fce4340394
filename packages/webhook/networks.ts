/** Which addresses a webhook may reach: public ones, and those of networks that the operator allows. */
import ipaddr from "ipaddr.js";

type Address = ipaddr.IPv4 | ipaddr.IPv6;
export type Network = readonly [network: Address, bits: number];

/** All of IPv6 that is given out for use on the Internet: what else there will be is refused until it is looked at. */
const GLOBAL_UNICAST = ipaddr.parseCIDR("2000::/3");
/** For examples (RFC 9637): the library has it as any other. */
const DOCUMENTATION = ipaddr.parseCIDR("3fff::/20");

/** @throws Error for what is no network, such as `10.0.0.0/8` or `fd00::/8`. */
export function parseNetworks(texts: readonly string[]): Network[] {
  return texts.map((text) => ipaddr.parseCIDR(text));
}

/** Whether a webhook may connect to `address`, an IPv4 or IPv6 address as a resolver or `URL.hostname` writes it. */
export function isAllowed(address: string, allowed: readonly Network[]): boolean {
  if (!ipaddr.isValid(address)) return false;
  const ip = ipaddr.parse(address);
  return isPublic(ip) || allowed.some((network) => within(ip, network));
}

/**
 * Not one that is for a use of its own: private, shared (CGNAT), loopback, link-local, multicast, documentation, and in
 * IPv6 those that hold an IPv4 address (mapped, NAT64, 6to4, Teredo), which may be any of these.
 */
function isPublic(ip: Address): boolean {
  if (ip.range() !== "unicast") return false;
  return ip.kind() === "ipv4" || (within(ip, GLOBAL_UNICAST) && !within(ip, DOCUMENTATION));
}

function within(ip: Address, [network, bits]: Network): boolean {
  return ip.kind() === network.kind() && ip.match(network as never, bits);
}
