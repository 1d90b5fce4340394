/**
 * API keys as they lie in Redis: by the SHA-256 of their secret, which nobody can turn back. The secret has 256 random
 * bits, so a plain digest is as good as a slow one, and how long a look-up takes tells nothing of it.
 */
import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";

/** What a key may do. */
export interface KeyGrant {
  /** Whose documents, jobs and answers it sees. */
  readonly tenant: string;
  readonly requests_per_minute: number;
  /** Of the models, by UTC day. */
  readonly tokens_per_day: number;
  /** Weight among tenants where questions wait: 1 is plain. */
  readonly priority: number;
}

export interface ApiKey extends KeyGrant {
  /** Public: names the key where it is listed or revoked. */
  readonly id: string;
  /** Epoch ms. */
  readonly created_at: number;
}

const SECRET = /^rk_[A-Za-z0-9_-]{43}$/;

/** The digest by which a secret is kept; `undefined` for what cannot be one. */
export function digestOf(secret: string): string | undefined {
  return SECRET.test(secret) ? new Bun.CryptoHasher("sha256").update(secret).digest("hex") : undefined;
}

/** Every method rejects as the connection does. */
export class KeyStore {
  constructor(
    private readonly redis: Redis,
    private readonly names: RedisNames,
  ) {}

  /** A new key. Its secret is nowhere but in this reply. */
  async create(grant: KeyGrant): Promise<{ key: ApiKey; secret: string }> {
    const secret = `rk_${Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString("base64url")}`;
    const digest = digestOf(secret)!;
    const id = crypto.randomUUID().slice(0, 13).replace("-", "");
    const key: ApiKey = { id, ...grant, created_at: Date.now() };
    await written(
      this.redis.multi().hset(this.names.apiKey(digest), key).hset(this.names.apiKeys(), id, digest).exec(),
    );
    return { key, secret };
  }

  /** All that are not revoked, oldest first. */
  async list(): Promise<ApiKey[]> {
    const digests = await this.redis.hvals(this.names.apiKeys());
    const records = await Promise.all(digests.map((digest) => this.redis.hgetall(this.names.apiKey(digest))));
    return records
      .filter(({ id }) => id !== undefined)
      .map((record) => ({
        id: record.id!,
        tenant: record.tenant!,
        requests_per_minute: Number(record.requests_per_minute),
        tokens_per_day: Number(record.tokens_per_day),
        priority: Number(record.priority),
        created_at: Number(record.created_at),
      }))
      .sort((a, b) => a.created_at - b.created_at);
  }

  /** From its reply on, no gateway knows the key. Whether there was one. */
  async revoke(id: string): Promise<boolean> {
    const { redis, names } = this;
    const digest = await redis.hget(names.apiKeys(), id);
    if (digest === null) return false;
    await written(
      redis.multi().del(names.apiKey(digest), names.apiKeyUse(digest)).hdel(names.apiKeys(), id).exec(),
    );
    return true;
  }
}

async function written(transaction: Promise<[error: Error | null, result: unknown][] | null>): Promise<void> {
  const failed = (await transaction)?.find(([error]) => error)?.[0];
  if (failed) throw failed;
}
