import { afterAll, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { packEmbedding, redisNames, unpackEmbedding } from "#contracts";
import { loadModel } from "#embedding";
import { connectProducer } from "#queue";
import { type Origin, QuestionVectors } from "../../../apps/encoder/question-vectors.ts";
import { SharedVectors } from "../../../apps/encoder/shared-vectors.ts";
import { cosine } from "../../packages/embedding/cosine.ts";
import { directory } from "../../packages/embedding/model-root.ts";
import { startRedis } from "../../support/redis.ts";

setDefaultTimeout(60_000);

const model = await loadModel({ directory });
const redis = await startRedis();
const connection = connectProducer(redis.url, () => {});
await connection.ping().catch(() => new Promise<void>((resolve) => connection.once("ready", resolve)));
afterAll(async () => {
  await model.close();
  connection.disconnect();
  await redis.stop();
});
beforeEach(async () => void (await redis.client.flushall()));

const names = redisNames("test:");

/** Questions' vectors by the real model and Redis, with what was told of them. */
function remembering(most: number, limits: { most?: number; seconds?: number } = {}) {
  const shared = new SharedVectors({
    redis: connection,
    names,
    model,
    most: limits.most ?? 100,
    seconds: limits.seconds ?? 60,
  });
  let kept = Promise.resolve();
  const told: Origin[] = [];
  const vectors = new QuestionVectors({
    model,
    most,
    shared: {
      get: (digests) => shared.get(digests),
      keep: (made) => {
        kept = shared.keep(made);
        return kept;
      },
    },
    observe: (origin) => told.push(origin),
  });
  return {
    packed: async (...questions: string[]) => {
      const packed = await vectors.packed(questions);
      await kept;
      return packed;
    },
    /** Where the vectors came from since it was last asked. */
    told: () => told.splice(0).sort(),
  };
}

const packedByModel = async (...texts: string[]) => (await model.embed(texts)).map(packEmbedding);

describe("in memory", () => {
  const inMemory = (most: number) => {
    const told: Origin[] = [];
    const vectors = new QuestionVectors({ model, most, observe: (origin) => told.push(origin) });
    return { vectors, told: () => told.splice(0).sort() };
  };

  test("vectors come in the questions' order, equal ones encoded once", async () => {
    const { vectors, told } = inMemory(10);
    const packed = await vectors.packed(["a cat", "a dog", "a cat"]);
    expect(told()).toEqual(["memory", "model", "model"]);
    const [cat, dog] = await packedByModel("a cat", "a dog");
    expect(packed).toEqual([cat!, dog!, cat!]);
  });

  test("questions that are the same to the model are encoded once", async () => {
    const { vectors, told } = inMemory(10);
    const [one, other] = await vectors.packed(["What is RAG?", " what  is rag ?"]);
    expect(told()).toEqual(["memory", "model"]);
    expect(one).toEqual(other);
  });

  test("a question among the last ones asked is not encoded again; an older one is", async () => {
    const { vectors, told } = inMemory(2);
    await vectors.packed(["one", "two"]);
    await vectors.packed(["one"]);
    await vectors.packed(["three"]);
    told();
    await vectors.packed(["one", "two"]);
    expect(told()).toEqual(["memory", "model"]);
  });

  test("size 0 keeps nothing", async () => {
    const { vectors, told } = inMemory(0);
    await vectors.packed(["one"]);
    await vectors.packed(["one", "one"]);
    expect(told()).toEqual(["memory", "model", "model"]);
  });
});

describe("in Redis", () => {
  test("another encoder, or the same after a start, finds what one has encoded, to the bit", async () => {
    const [encoded] = await remembering(10).packed("What is a queue?");
    const later = remembering(10);
    const [found] = await later.packed("what is a QUEUE?");
    expect(later.told()).toEqual(["redis"]);
    expect(found).toEqual(encoded);
  });

  test("texts that the model tells apart do not share a vector", async () => {
    const texts = ["[SEP]", "[sep]", "naive", "naïve", "naïves", "a b", "ab"];
    await remembering(10).packed(...texts);
    const later = remembering(10);
    const found = await later.packed(...texts);
    for (const [i, text] of texts.entries()) {
      const [alone] = await packedByModel(text);
      expect(cosine(unpackEmbedding(found[i]!), unpackEmbedding(alone!))).toBeGreaterThan(0.999999);
    }
    expect(new Set(found).size).toBe(texts.length - 1); // "naïve" is "naive" to the model
  });

  test("there are never more than asked for: those kept first go first", async () => {
    const vectors = remembering(10, { most: 3 });
    for (const question of ["one", "two", "three", "four", "five"]) await vectors.packed(question);
    expect(await redis.client.hlen(names.vectors(model.name))).toBe(3);
    expect(await redis.client.zcard(names.vectorsKept(model.name))).toBe(3);
    const later = remembering(10);
    await later.packed("two", "three", "five");
    expect(later.told()).toEqual(["model", "redis", "redis"]);
  });

  test("one that is older than it should be goes, and all go when nobody asks any more", async () => {
    const vectors = remembering(10, { seconds: 5 });
    await vectors.packed("an old one");
    const [digest] = await redis.client.hkeys(names.vectors(model.name));
    await redis.client.zadd(names.vectorsKept(model.name), Date.now() - 6_000, digest!);
    await vectors.packed("a new one");
    expect(await redis.client.hexists(names.vectors(model.name), digest!)).toBe(0);
    expect(await redis.client.pttl(names.vectors(model.name))).toBeWithin(1, 5_001);
    expect(await redis.client.pttl(names.vectorsKept(model.name))).toBeWithin(1, 5_001);
  });

  test("what is no vector of this model's size is not taken for one", async () => {
    await remembering(10).packed("a cat");
    const [digest] = await redis.client.hkeys(names.vectors(model.name));
    await redis.client.hset(names.vectors(model.name), digest!, "rubbish");
    const later = remembering(10);
    expect(await later.packed("a cat")).toEqual(await packedByModel("a cat"));
    expect(later.told()).toEqual(["model"]);
  });

  test("another precision's vectors lie elsewhere", async () => {
    await remembering(10).packed("a cat");
    const keys = await redis.client.keys("*");
    expect(keys.sort()).toEqual([
      "test:encoder:vectors:Xenova/all-MiniLM-L6-v2",
      "test:encoder:vectors_kept:Xenova/all-MiniLM-L6-v2",
    ]);
  });

  test("a Redis that is gone or refuses fails no question", async () => {
    const gone = connectProducer("redis://127.0.0.1:1", () => {});
    const shared = new SharedVectors({ redis: gone, names, model, most: 10, seconds: 60 });
    const vectors = new QuestionVectors({ model, most: 10, shared });
    expect(await vectors.packed(["a cat"])).toEqual(await packedByModel("a cat"));
    gone.disconnect();

    await redis.client.set(names.vectors(model.name), "not a hash");
    expect(await remembering(10).packed("a cat")).toEqual(await packedByModel("a cat"));
  });
});
