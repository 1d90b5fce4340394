import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  contract,
  isPackedEmbedding,
  packEmbedding,
  QueryAnswer,
  queues,
  redisNames,
  unpackEmbedding,
} from "#contracts";
import { encoderJob, llmJob, retrieverJob } from "../support/jobs.ts";

test("the messages of every hop fit their queues", () => {
  expect(queues.encoderIn.message.check(encoderJob())).toBe(true);
  expect(queues.retrieverIn.message.check(retrieverJob())).toBe(true);
  expect(queues.llmIn.message.check(llmJob())).toBe(true);
});

test("a message may carry fields that are not named, and must carry those that are", () => {
  expect(queues.encoderIn.message.check({ ...encoderJob(), colour: "blue" })).toBe(true);
  for (const name of Object.keys(encoderJob())) {
    const { [name as "query"]: _, ...without } = encoderJob();
    expect(queues.encoderIn.message.check(without)).toBe(false);
    expect(queues.encoderIn.message.explain(without)).toStartWith(`/${name}: `);
  }
});

test("what fits needs no explanation", () => {
  expect(contract(QueryAnswer).explain({})).toStartWith("/job_id");
  expect(queues.encoderIn.message.explain(encoderJob())).toBe("");
});

test("an embedding comes back as it was packed, to the bit", () => {
  const vector = fc.float32Array({ minLength: 384, maxLength: 384, noNaN: true });
  fc.assert(fc.property(vector, (values) => expect(unpackEmbedding(packEmbedding(values))).toEqual(values)));
});

test("only the base64 of a whole embedding is taken for one", () => {
  const packed = packEmbedding(new Float32Array(384).fill(0.05));
  expect(isPackedEmbedding(packed)).toBe(true);
  for (const end of ["", "=", " ", "-", "_", "\n", "é", "===="]) {
    expect(isPackedEmbedding(packed.slice(0, -Math.max(1, end.length)) + end)).toBe(false);
  }
});

test("bytes that are not whole float32 values are no embedding", () => {
  expect(() => unpackEmbedding("AAAA")).toThrow(RangeError);
});

test("a prefix stands before every name", () => {
  const names = redisNames("{a}:");
  const all = Object.values(names).map((name) => (name as (...parts: string[]) => string)("x", "y"));
  expect(all.every((name) => name.startsWith("{a}:"))).toBe(true);
  expect(new Set(all).size).toBe(all.length);
});
