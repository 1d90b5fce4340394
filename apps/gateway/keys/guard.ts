/**
 * Who may come in, asked of every request before its body is read.
 *
 * Each time, one script in Redis looks the key up and counts the request: so a key ends the moment that it is revoked,
 * and its limits hold over all gateways. It costs a round trip, as a cache would cost the promise.
 */
import type { Redis } from "ioredis";
import { DEFAULT_TENANT, type RedisNames } from "#contracts";
import { HttpError, redisUnavailable } from "../http-error.ts";
import { identify } from "../tenant.ts";
import { digestOf } from "./key-store.ts";
import authorise from "./lua/authorise.lua" with { type: "text" };
import spend from "./lua/spend.lua" with { type: "text" };
import { Strangers } from "./strangers.ts";

/** What tells nothing of any tenant: whether the process lives, and the documentation. */
const OPEN_PATHS = new Set([
  "/health",
  "/ready",
  "/openapi.json",
  "/swagger",
  "/swagger/swagger-ui.css",
  "/swagger/swagger-ui-bundle.js",
  "/swagger/favicon-32x32.png",
]);

type Authorised =
  | ["unknown"]
  | [
      kind: "allowed" | "requests" | "tokens",
      tenant: string,
      priority: string,
      per_minute: number,
      left: number,
      reset_s: number,
      wait_s: number,
    ];

type GuardRedis = Redis & {
  keyAuthorise(key: string, use: string): Promise<Authorised>;
  keySpend(use: string, tokens: number): Promise<number>;
};

/** Both let a request in, from then on with an identity. */
export type Guard = OpenGuard | KeyGuard;

/** Without keys: everybody who can reach the gateway is the default tenant. */
export class OpenGuard {
  readonly keyed = false;
  readonly #anybody = { tenant: DEFAULT_TENANT, async spend() {} };

  /** At once: a promise for each request would be a tenth of what they cost here. @throws HttpError 400 for a Host that is none. */
  admit(request: Request): void {
    refuseHost(request);
    identify(request, this.#anybody);
  }
}

export class KeyGuard {
  readonly keyed = true;
  readonly #redis: GuardRedis;
  readonly #strangers: Strangers;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    unknown_per_minute: number,
    /** Whether tenants take turns. */
    private readonly turns: boolean,
  ) {
    this.#strangers = new Strangers(unknown_per_minute);
    redis.defineCommand("keyAuthorise", { lua: authorise, numberOfKeys: 2 });
    redis.defineCommand("keySpend", { lua: spend, numberOfKeys: 1 });
    this.#redis = redis as GuardRedis;
  }

  /**
   * Gives the headers of the answer.
   * @param address of whoever is connected
   * @throws HttpError 400 for a Host that is none, 401 without a key that is known, 429 past its limits or where too
   *   many unknown ones came from there, 503 while Redis is away.
   */
  async admit(request: Request, address: string): Promise<Record<string, string>> {
    refuseHost(request);
    if (OPEN_PATHS.has(new URL(request.url).pathname)) return {};
    const digest = digestOf(secretOf(request));
    if (digest === undefined) throw unauthorised();
    const wait_s = this.#strangers.take(address, digest);
    if (wait_s > 0) throw tooManyUnknown(wait_s);
    const authorised = await this.#redis
      .keyAuthorise(this.names.apiKey(digest), this.names.apiKeyUse(digest))
      .catch((error) => {
        this.#strangers.unanswered(address);
        throw redisUnavailable(error);
      });
    if (authorised[0] === "unknown") {
      this.#strangers.unknown(digest);
      throw unauthorised();
    }
    this.#strangers.known(address, digest);
    const [kind, tenant, priority, per_minute, left, reset_s, retry_after_s] = authorised;
    const headers = {
      "ratelimit-policy": `${per_minute};w=60`,
      "ratelimit-limit": String(per_minute),
      "ratelimit-remaining": String(left),
      "ratelimit-reset": String(reset_s),
    };
    if (kind !== "allowed") throw overLimit(kind, retry_after_s, headers);
    const spend = (tokens: number) => this.#spend(digest, tokens);
    identify(request, { tenant, priority: this.turns ? Number(priority) : undefined, spend });
    return headers;
  }

  async #spend(digest: string, tokens: number): Promise<void> {
    // Uncounted while Redis is away: the answer is the client's all the same.
    if (tokens > 0) await this.#redis.keySpend(this.names.apiKeyUse(digest), tokens).catch(() => {});
  }
}

/** The secret that a request carries; where both headers are there, both must be the same. */
function secretOf({ headers }: Request): string {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  const plain = headers.get("x-api-key")?.trim();
  if (bearer !== undefined && plain !== undefined && bearer !== plain) return "";
  return bearer ?? plain ?? "";
}

/** The last that was let in: clients hardly differ in it. */
let usual_host = "";

/** A Host can move what `request.url` shows as the path: it may hold a name and a port, nothing else. */
function refuseHost({ headers }: Request): void {
  const host = headers.get("host");
  if (host === usual_host || host === null) return;
  if (!/^(?:[\w.-]*|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)) {
    throw new HttpError(400, "invalid_host", "the Host header is no name and port");
  }
  usual_host = host;
}

function unauthorised(): HttpError {
  const message =
    "send an API key, as `Authorization: Bearer rk_...` or `X-API-Key: rk_...`; this is none, or it was revoked";
  return new HttpError(401, "unauthorised", message, {
    headers: { "www-authenticate": 'Bearer realm="ragline"' },
  });
}

function tooManyUnknown(retry_after_s: number): HttpError {
  const message =
    "too many keys that are not known came from your address: ask again after Retry-After seconds";
  return new HttpError(429, "too_many_unknown_keys", message, { retry_after_s });
}

function overLimit(
  kind: "requests" | "tokens",
  retry_after_s: number,
  headers: Record<string, string>,
): HttpError {
  const what = kind === "requests" ? "requests of a minute" : "tokens of a day";
  const message = `this key has used its ${what}: ask again after Retry-After seconds`;
  return new HttpError(429, kind === "requests" ? "rate_limited" : "quota_exceeded", message, {
    retry_after_s,
    headers,
  });
}
