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

export interface Guard {
  /** Whether keys are asked for. */
  readonly keyed: boolean;
  /**
   * Lets a request in, from then on with an identity. Gives the headers of its answer.
   * @throws HttpError 400 for a Host that is none, 401 without a key that is known, 429 past its limits, 503 while
   *   Redis is away.
   */
  admit(request: Request): Promise<Record<string, string>>;
}

/** Without keys: everybody who can reach the gateway is the default tenant. */
export const openGuard: Guard = {
  keyed: false,
  async admit(request) {
    refuseHost(request);
    identify(request, { tenant: DEFAULT_TENANT, async spend() {} });
    return {};
  },
};

export class KeyGuard implements Guard {
  readonly keyed = true;
  readonly #redis: GuardRedis;

  constructor(
    redis: Redis,
    private readonly names: RedisNames,
    /** Whether tenants take turns. */
    private readonly turns: boolean,
  ) {
    redis.defineCommand("keyAuthorise", { lua: authorise, numberOfKeys: 2 });
    redis.defineCommand("keySpend", { lua: spend, numberOfKeys: 1 });
    this.#redis = redis as GuardRedis;
  }

  async admit(request: Request): Promise<Record<string, string>> {
    refuseHost(request);
    if (OPEN_PATHS.has(new URL(request.url).pathname)) return {};
    const digest = digestOf(secretOf(request));
    if (digest === undefined) throw unauthorised();
    const authorised = await this.#redis
      .keyAuthorise(this.names.apiKey(digest), this.names.apiKeyUse(digest))
      .catch((error) => {
        throw redisUnavailable(error);
      });
    if (authorised[0] === "unknown") throw unauthorised();
    const [kind, tenant, priority, per_minute, left, reset_s, wait_s] = authorised;
    const headers = {
      "ratelimit-policy": `${per_minute};w=60`,
      "ratelimit-limit": String(per_minute),
      "ratelimit-remaining": String(left),
      "ratelimit-reset": String(reset_s),
    };
    if (kind !== "allowed") throw overLimit(kind, wait_s, headers);
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

/** A Host can move what `request.url` shows as the path: it may hold a name and a port, nothing else. */
function refuseHost({ headers }: Request): void {
  const host = headers.get("host");
  if (host !== null && !/^(?:[\w.-]*|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host)) {
    throw new HttpError(400, "invalid_host", "the Host header is no name and port");
  }
}

function unauthorised(): HttpError {
  const message =
    "send an API key, as `Authorization: Bearer rk_...` or `X-API-Key: rk_...`; this is none, or it was revoked";
  return new HttpError(401, "unauthorised", message, {
    headers: { "www-authenticate": 'Bearer realm="ragline"' },
  });
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
