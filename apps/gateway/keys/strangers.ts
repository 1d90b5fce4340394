/**
 * Bounds the look-ups of keys that nobody made, by the address that they come from: guessing costs Redis no more.
 *
 * 1. `take`: a key that was known here before is looked up in any case, so whoever shares an address with a guesser goes
 *    on; any other takes one from its address's bucket first, or waits.
 * 2. `known` gives it back, and remembers the key. `unknown` keeps it, and forgets the key. `unanswered` gives it back.
 *
 * Each gateway has its own buckets: shared ones would cost the round trip that they are there to save.
 */
import ipaddr from "ipaddr.js";
import { LRUCache } from "lru-cache";

/** Of keys, and of addresses: some 100 bytes each. */
const MOST = 10_000;

interface Bucket {
  level: number;
  /** When it was that, as `performance.now()` has it. */
  at: number;
}

export class Strangers {
  readonly #known = new LRUCache<string, true>({ max: MOST });
  readonly #buckets = new LRUCache<string, Bucket>({ max: MOST });

  /** @param per_minute look-ups of unknown keys that an address has, and as many at once. */
  constructor(private readonly per_minute: number) {}

  /** Whether a key may be looked up: 0, or in how many seconds. */
  take(address: string, digest: string): number {
    if (this.#known.has(digest)) return 0;
    const bucket = this.#bucket(address);
    if (bucket.level < 1) return Math.ceil(((1 - bucket.level) * 60) / this.per_minute);
    bucket.level--;
    return 0;
  }

  known(address: string, digest: string): void {
    if (this.#known.get(digest)) return;
    this.#known.set(digest, true);
    this.unanswered(address);
  }

  unknown(digest: string): void {
    this.#known.delete(digest);
  }

  unanswered(address: string): void {
    const bucket = this.#bucket(address);
    bucket.level = Math.min(this.per_minute, bucket.level + 1);
  }

  #bucket(address: string): Bucket {
    const network = networkOf(address);
    const now = performance.now();
    const bucket = this.#buckets.get(network) ?? { level: this.per_minute, at: now };
    bucket.level = Math.min(this.per_minute, bucket.level + ((now - bucket.at) * this.per_minute) / 60_000);
    bucket.at = now;
    this.#buckets.set(network, bucket);
    return bucket;
  }
}

/** Whoever has one IPv6 address has its whole /64. */
function networkOf(address: string): string {
  if (!ipaddr.isValid(address)) return "";
  const ip = ipaddr.process(address);
  return ip instanceof ipaddr.IPv6 ? ip.parts.slice(0, 4).join(":") : ip.toString();
}
