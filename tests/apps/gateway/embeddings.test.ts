/** OpenAI's embeddings API, asked by its own client, unmodified. */
import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import { queues } from "#contracts";
import { loadModel } from "#embedding";
import { cosine } from "../../packages/embedding/cosine.ts";
import { directory } from "../../packages/embedding/model-root.ts";
import { type KeyedGateways, startKeyedGateways } from "../../support/keyed.ts";
import { startProcess, type TestProcess } from "../../support/process.ts";

setDefaultTimeout(60_000);

const model = "all-MiniLM-L6-v2";
const QUEUE = queues.encoderIn.name;

let gateways: KeyedGateways;
let openai: OpenAI;
let encoders: TestProcess[] = [];

beforeAll(async () => {
  gateways = await startKeyedGateways(1, { MAX_QUEUE_DEPTH: "50", TENANT_TURNS: "false" });
  openai = await client();
});
afterAll(async () => {
  await Promise.all(encoders.map((encoder) => encoder.stop()));
  await gateways.stop();
});

async function client(grant: Parameters<KeyedGateways["key"]>[0] = {}): Promise<OpenAI> {
  return new OpenAI({
    baseURL: `${gateways.urls[0]}/v1`,
    apiKey: await gateways.key(grant),
    maxRetries: 0,
  });
}

async function startEncoder(): Promise<TestProcess> {
  const encoder = startProcess("apps/encoder/main.ts", {
    REDIS_URL: gateways.redis.url,
    METRICS_PORT: "0",
    LEASE_MS: "400",
    ENCODER_CACHE: "0",
  });
  encoders.push(encoder);
  await encoder.line("taking messages");
  return encoder;
}

async function refusal(asked: PromiseLike<unknown>): Promise<unknown> {
  try {
    await asked;
  } catch (error) {
    return error;
  }
}

/** Resolves when so many messages lie in the encoder's queue. */
async function waiting(count: number): Promise<void> {
  while ((await gateways.redis.client.llen(QUEUE)) < count) {}
}

describe("with nobody to encode", () => {
  test("a thousand texts put no more on the line than the encoder takes together, and go when their client does", async () => {
    const leaving = new AbortController();
    const input = Array.from({ length: 1_000 }, (_, i) => `text ${i}`);
    const asked = refusal(openai.embeddings.create({ model, input }, { signal: leaving.signal }));
    await waiting(16);
    // A question that comes now has these before it.
    expect(await gateways.redis.client.llen(QUEUE)).toBe(16);
    leaving.abort();
    await asked;
    while ((await gateways.redis.client.xlen("job:cancelled")) < 16) {}
    expect(await gateways.redis.client.xlen("job:cancelled")).toBe(16);
    await gateways.redis.client.del(QUEUE);
  });

  test("a full line is 429 in the shape that the client knows, and what was accepted is cancelled", async () => {
    await gateways.redis.client.rpush(QUEUE, ...Array.from({ length: 45 }, (_, i) => `${i}`));
    const error = await refusal(openai.embeddings.create({ model, input: Array(20).fill("a text") }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: "line_full", type: "rate_limit_error" });
    const accepted = (await gateways.redis.client.lrange(QUEUE, 0, 4)).map((text) => JSON.parse(text));
    for (const { job_id } of accepted) {
      while (!(await gateways.redis.client.exists(`job:completion:${job_id}`))) {}
    }
    await gateways.redis.client.del(QUEUE);
  });
});

describe("with an encoder", () => {
  beforeAll(() => startEncoder());

  test("texts come back as the model's own vectors, in order, in both formats, with their tokens counted", async () => {
    const local = await loadModel({ directory });
    const input = ["What is a queue?", "What is a stack?", "Queues, in a longer sentence, are lines."];
    const expected = await local.embed(input);
    await local.close();
    const by_default = await openai.embeddings.create({ model, input });
    const floats = await openai.embeddings.create({
      model,
      input,
      encoding_format: "float",
      dimensions: 384,
    });
    expect(by_default.data.map(({ index }) => index)).toEqual([0, 1, 2]);
    by_default.data.forEach(({ embedding }, i) => {
      expect(cosine(Float32Array.from(embedding), expected[i]!)).toBeGreaterThan(0.99999);
      expect(floats.data[i]!.embedding).toHaveLength(384);
      expect(cosine(Float32Array.from(floats.data[i]!.embedding), expected[i]!)).toBeGreaterThan(0.99999);
    });
    const tokens = input.reduce((sum, text) => sum + local.tokenize(text).length, 0);
    expect(by_default.usage).toEqual({ prompt_tokens: tokens, total_tokens: tokens });
    expect(by_default.model).toBe(model);
  });

  test("a text alone is one vector", async () => {
    const { data } = await openai.embeddings.create({ model, input: "What is a queue?" });
    expect(data).toMatchObject([{ object: "embedding", index: 0 }]);
  });

  test("a text longer than the model reads is refused, not cut, and the others are cancelled", async () => {
    const long = "word ".repeat(1_000);
    expect(await refusal(openai.embeddings.create({ model, input: ["short", long] }))).toMatchObject({
      status: 400,
      code: "context_length_exceeded",
      type: "invalid_request_error",
    });
    const fits = "word ".repeat(254);
    expect((await openai.embeddings.create({ model, input: fits })).usage.prompt_tokens).toBe(256);
  });

  test.each([
    ["tokens", { input: [1, 2, 3] }, "token ids"],
    ["arrays of tokens", { input: [[1, 2], [3]] }, "token ids"],
    ["an empty text", { input: "" }, "/input"],
    ["an empty text among others", { input: ["a", ""] }, "/input/1"],
    ["no text", { input: [] }, "/input"],
    ["too many", { input: Array(2_049).fill("a") }, "/input"],
    ["a text past all bounds", { input: "a".repeat(8_193) }, "/input"],
    ["other dimensions", { input: "a", dimensions: 256 }, "dimensions"],
    ["another format", { input: "a", encoding_format: "int8" }, "/encoding_format"],
  ])("%s is refused, and the answer says what is wrong", async (_, body, said) => {
    const error = await refusal(openai.embeddings.create({ model, ...body } as never));
    expect(error).toBeInstanceOf(OpenAI.BadRequestError);
    expect((error as Error).message).toContain(said);
  });

  test("another model is one that is not there, and this one is listed", async () => {
    const error = await refusal(openai.embeddings.create({ model: "text-embedding-3-small", input: "a" }));
    expect(error).toMatchObject({ status: 404, code: "model_not_found" });
    expect((await openai.models.retrieve(model)).id).toBe(model);
  });

  test("its tokens count against the key's day, and past it the answer is of the client's shape", async () => {
    const scarce = await client({ tokens_per_day: 5 });
    const { usage } = await scarce.embeddings.create({ model, input: "What is a queue?" });
    expect(usage.total_tokens).toBeGreaterThan(5);
    const error = await refusal(scarce.embeddings.create({ model, input: "a" }));
    expect(error).toBeInstanceOf(OpenAI.RateLimitError);
    expect(error).toMatchObject({ code: "quota_exceeded" });
  });

  test("texts of an encoder that is killed are encoded by the next, each once", async () => {
    const [first] = encoders;
    const input = Array.from({ length: 24 }, (_, i) => `text ${i} ${"and so on ".repeat(40)}`);
    const asked = openai.embeddings.create({ model, input });
    while ((await gateways.redis.client.keys(`${QUEUE}:processing:*`)).length === 0) {}
    first!.child.kill("SIGKILL");
    await startEncoder();
    const { data } = await asked;
    expect(new Set(data.map(({ embedding }) => embedding.join())).size).toBe(24);
    encoders = encoders.slice(1);
  });
});
