/** The mock speaks to the official clients as a real server does. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { Ollama } from "ollama";
import OpenAI from "openai";
import { type MockReplica, startMockReplica } from "../../support/mock-replica.ts";
import { promptFor } from "./prompt.ts";

const prompt = promptFor("Who holds work, and until when?");
const answer = "A queue holds work until somebody has time for it. [3]";
const words = answer.split(" ").length;
const messages = [
  { role: "system" as const, content: "Answer shortly." },
  { role: "user" as const, content: "Another question" },
  { role: "assistant" as const, content: "Another answer" },
  { role: "user" as const, content: prompt },
];

let mock: MockReplica;
let ollama: Ollama;
let openai: OpenAI;

beforeAll(async () => {
  mock = await startMockReplica({ MOCK_MODEL: "small" });
  ollama = new Ollama({ host: mock.url });
  openai = new OpenAI({ baseURL: `${mock.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => mock.stop());

describe("the ollama client", () => {
  test("gets an answer from the prompt's sources by generate", async () => {
    const reply = await ollama.generate({ model: "any", prompt });
    expect(reply).toMatchObject({
      model: "any",
      response: answer,
      done: true,
      done_reason: "stop",
      eval_count: words,
    });
    expect(Date.parse(String(reply.created_at))).toBeWithin(Date.now() - 60_000, Date.now() + 1);
    expect(reply.total_duration).toBe(reply.prompt_eval_duration + reply.eval_duration);
    expect(reply.prompt_eval_count).toBeGreaterThan(50);
  });

  test("gets the same by chat, from the last user message", async () => {
    const reply = await ollama.chat({ model: "any", messages });
    expect(reply.message).toEqual({ role: "assistant", content: answer });
    expect(reply.done_reason).toBe("stop");
  });

  test("streams generate word by word", async () => {
    const parts = await Array.fromAsync(await ollama.generate({ model: "any", prompt, stream: true }));
    expect(parts.map((part) => part.response).join("")).toBe(answer);
    expect(parts.length).toBe(words + 1);
    expect(parts.findIndex((part) => part.done)).toBe(parts.length - 1);
    expect(parts.at(-1)).toMatchObject({ response: "", done_reason: "stop", eval_count: words });
  });

  test("streams chat word by word", async () => {
    const parts = await Array.fromAsync(await ollama.chat({ model: "any", messages, stream: true }));
    expect(parts.map((part) => part.message.content).join("")).toBe(answer);
    expect(parts.at(-1)?.done).toBe(true);
  });

  test("sees the configured model and a version", async () => {
    expect((await ollama.list()).models.map((model) => model.name)).toEqual(["small"]);
    expect((await ollama.version()).version).toBeString();
  });

  test("gets an error that says what is wrong", async () => {
    await expect(ollama.generate({ model: "", prompt })).rejects.toMatchObject({
      status_code: 404,
      message: "model '' not found",
    });
  });
});

describe("the openai client", () => {
  test("gets an answer from the prompt's sources", async () => {
    const reply = await openai.chat.completions.create({ model: "any", messages });
    expect(reply).toMatchObject({ object: "chat.completion", model: "any" });
    expect(reply.choices).toMatchObject([
      { index: 0, message: { role: "assistant", content: answer }, finish_reason: "stop" },
    ]);
    expect(reply.usage).toMatchObject({ completion_tokens: words });
  });

  test("streams it word by word, the role first", async () => {
    const chunks = await Array.fromAsync(
      await openai.chat.completions.create({ model: "any", messages, stream: true }),
    );
    expect(chunks[0]?.choices[0]?.delta).toEqual({ role: "assistant", content: "" });
    expect(chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("")).toBe(answer);
    expect(chunks.at(-1)?.choices[0]?.finish_reason).toBe("stop");
    expect(chunks.every((chunk) => !("usage" in chunk))).toBe(true);
    expect(new Set(chunks.map((chunk) => chunk.id)).size).toBe(1);
  });

  test("gets token counts after the stream where it asks for them", async () => {
    const stream_options = { include_usage: true };
    const chunks = await Array.fromAsync(
      await openai.chat.completions.create({ model: "any", messages, stream: true, stream_options }),
    );
    expect(chunks.at(-1)).toMatchObject({ choices: [], usage: { completion_tokens: words } });
    expect(chunks.slice(0, -1).every((chunk) => chunk.usage === null)).toBe(true);
  });

  test("may send a message in parts", async () => {
    const content = [{ type: "text" as const, text: prompt }];
    const reply = await openai.chat.completions.create({
      model: "any",
      messages: [{ role: "user", content }],
    });
    expect(reply.choices[0]?.message.content).toBe(answer);
  });

  test("puts its stream together with its own helper", async () => {
    const stream = openai.chat.completions.stream({ model: "any", messages });
    expect(await stream.finalContent()).toBe(answer);
  });

  test("sees the configured model", async () => {
    expect((await openai.models.list()).data.map((model) => model.id)).toEqual(["small"]);
  });

  test("gets an error that says what is wrong", async () => {
    // Its promises are lazy: `then` makes this one a plain one.
    const reply = openai.chat.completions.create({ model: "any", messages: [] }).then();
    await expect(reply).rejects.toMatchObject({
      status: 400,
      type: "invalid_request_error",
      message: "400 messages must hold one with the role user",
    });
  });
});

describe("what is not a request", () => {
  test.each(["/api/generate", "/api/chat"])("gets Ollama's form of an error from %s", async (path) => {
    const response = await fetch(`${mock.url}${path}`, { method: "POST", body: "{" });
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("not JSON") });
  });

  test("gets OpenAI's form of an error below /v1", async () => {
    const bad = await fetch(`${mock.url}/v1/chat/completions`, { method: "POST", body: "[]" });
    expect(bad.status).toBe(400);
    expect(await bad.json()).toMatchObject({
      error: { message: expect.any(String), type: "invalid_request_error" },
    });
    const unknown = await fetch(`${mock.url}/v1/embeddings`, { method: "POST" });
    expect(unknown.status).toBe(404);
    expect(await unknown.json()).toMatchObject({ error: { message: expect.any(String) } });
  });

  test("may be a look whether it runs", async () => {
    expect(await (await fetch(mock.url)).text()).toBe("Ollama is running");
    expect(await (await fetch(`${mock.url}/health`)).json()).toEqual({ status: "ok" });
  });
});
