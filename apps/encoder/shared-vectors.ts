/**
 * Vectors kept in Redis, for all encoders of a line and the next start of each: one round trip to read a batch's.
 *
 * Trouble with Redis fails nothing: what cannot be read is encoded, what cannot be kept is encoded again later.
 */
import type { Redis } from "ioredis";
import type { RedisNames } from "#contracts";
import keepVectors from "./lua/keep_vectors.lua" with { type: "text" };

export interface SharedVectorsOptions {
  /** One that fails fast: a question waits for a read. */
  readonly redis: Redis;
  readonly names: RedisNames;
  /** By its name, which tells the precision too: other models' vectors lie under other keys. */
  readonly model: { readonly name: string; readonly dimensions: number };
  /** Most vectors kept, 2 KB each with all that Redis needs. */
  readonly most: number;
  /** How long one is kept. */
  readonly seconds: number;
}

export class SharedVectors {
  readonly #keys: readonly [vectors: string, kept: string];

  constructor(private readonly options: SharedVectorsOptions) {
    const { redis, names, model } = options;
    this.#keys = [names.vectors(model.name), names.vectorsKept(model.name)];
    redis.defineCommand("keepVectors", { lua: keepVectors, numberOfKeys: 2 });
  }

  /** The vectors kept under `digests`, in order; `undefined` where there is none. Never rejects. */
  async get(digests: readonly string[]): Promise<(Float32Array | undefined)[]> {
    try {
      const found = await this.options.redis.hmgetBuffer(this.#keys[0], ...digests);
      return found.map((bytes) => (bytes ? this.#vector(bytes) : undefined));
    } catch {
      return digests.map(() => undefined);
    }
  }

  /** Keeps vectors by their digests. Resolves when Redis has them, or does not take them. Never rejects. */
  async keep(vectors: ReadonlyMap<string, Float32Array>): Promise<void> {
    const { redis, most, seconds } = this.options as { redis: KeepingRedis } & SharedVectorsOptions;
    const pairs = [...vectors].flatMap(([digest, { buffer, byteOffset, byteLength }]) => {
      return [digest, Buffer.from(buffer, byteOffset, byteLength)];
    });
    await redis.keepVectors(...this.#keys, most, seconds, ...pairs).catch(() => {});
  }

  #vector(bytes: Buffer): Float32Array | undefined {
    if (bytes.byteLength !== this.options.model.dimensions * 4) return undefined; // somebody else's
    return new Float32Array(new Uint8Array(bytes).buffer);
  }
}

interface KeepingRedis extends Redis {
  keepVectors(...keys_and_arguments: (string | number | Buffer)[]): Promise<number>;
}
