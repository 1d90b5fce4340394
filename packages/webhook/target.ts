/**
 * Where a webhook goes. A URL is parsed once, by the WHATWG's rules, and what comes of it is both what is checked and
 * what is connected to: there is no second parser to disagree.
 */
import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { isAllowed, type Network } from "./networks.ts";

export interface Target {
  readonly url: URL;
  /** Its name or address, as `URL.hostname` has it, without the brackets of IPv6. */
  readonly host: string;
}

/** A webhook that may not be sent, now or later. The message goes to whoever asked for it. */
export class WebhookRefused extends Error {
  override name = "WebhookRefused";
}

/** All addresses of a name. Rejects where it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

export const resolveName: Resolve = async (name) => {
  const found = await lookup(name, { all: true, verbatim: true });
  return found.map(({ address }) => address);
};

const SCHEMES = ["http:", "https:"];
/** Below 1024 others listen, who may take a POST for something else. */
const WELL_KNOWN_PORTS = ["80", "443"];

/** @throws WebhookRefused for a URL that is none, or that leads where webhooks may not go, as far as it says so itself. */
export function readTarget(text: string, allowed: readonly Network[]): Target {
  if (!URL.canParse(text)) throw new WebhookRefused("the webhook's url is not a URL");
  const url = new URL(text);
  if (!SCHEMES.includes(url.protocol)) throw new WebhookRefused("a webhook's url begins with http or https");
  if (url.username || url.password) {
    throw new WebhookRefused("a webhook's url holds no credentials: its signature tells who sends it");
  }
  if (url.port && Number(url.port) < 1024 && !WELL_KNOWN_PORTS.includes(url.port)) {
    throw new WebhookRefused("a webhook's port is 80, 443, or 1024 and above");
  }
  url.hash = "";
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (isIP(host) && !isAllowed(host, allowed)) throw notPublic();
  return { url, host };
}

/**
 * The address to connect to. Every address of the name is looked at, since which of them is taken is not the caller's
 * choice.
 * @throws WebhookRefused if any may not be reached; rejects as `resolve`.
 */
export async function addressOf(
  { host }: Target,
  allowed: readonly Network[],
  resolve: Resolve = resolveName,
): Promise<string> {
  if (isIP(host)) return host;
  const addresses = await resolve(host);
  const [first] = addresses;
  if (first === undefined) throw new Error("its name has no address");
  if (!addresses.every((address) => isAllowed(address, allowed))) throw notPublic();
  return first;
}

function notPublic(): WebhookRefused {
  return new WebhookRefused("the webhook leads to an address that is not public: see WEBHOOK_ALLOW_PRIVATE");
}
