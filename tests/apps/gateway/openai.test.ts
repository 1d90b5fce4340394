/** OpenAI's API, asked by its own client, unmodified. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import OpenAI from "openai";
import type { ChatCompletion, Source } from "#contracts";
import { chatCompletion, chunkEncoder } from "../../../apps/gateway/openai/completion.ts";
import { questionOf } from "../../../apps/gateway/openai/question.ts";
import { startLine, type TestLine } from "../../support/line.ts";

setDefaultTimeout(60_000);

const messages = [{ role: "user" as const, content: "What is machine learning?" }];
const model = "ragline";

let line: TestLine;
let openai: OpenAI;

beforeAll(async () => {
  line = await startLine({
    documents: ["corpus/machine-learning.md", "corpus/recursion.md"],
    replicas: [{ MOCK_DELAY_MS: "5", MOCK_TOKENS_PER_SECOND: "200" }],
  });
  openai = new OpenAI({ baseURL: `${line.url}/v1`, apiKey: "none", maxRetries: 0 });
});
afterAll(() => line.stop());

async function refusal(asked: PromiseLike<unknown>): Promise<unknown> {
  try {
    await asked;
  } catch (error) {
    return error;
  }
}

test("a question is answered, with its sources as citations and annotations, and usage", async () => {
  const completion = (await openai.chat.completions.create({ model, messages })) as unknown as ChatCompletion;
  const plain = await line.ask({ query: messages[0]!.content });
  const [choice] = completion.choices;
  const { content, annotations } = choice!.message;
  expect(content).toBe(plain.body.answer);
  expect(choice!.finish_reason).toBe("stop");
  expect(completion.citations).toEqual(plain.body.sources);
  const { start_index, end_index, title, url } = annotations[0]!.url_citation;
  expect(content.slice(start_index, end_index + 1)).toBe("[1]");
  expect({ title, url }).toEqual({ title: "Machine learning", url: "corpus/machine-learning.md" });
  const { prompt_tokens, completion_tokens, total_tokens } = completion.usage;
  // As the replica counted them, the same for the same answer.
  expect(plain.body.usage).toEqual({ prompt_tokens, completion_tokens });
  expect(prompt_tokens).toBeGreaterThan(50);
  expect(total_tokens).toBe(prompt_tokens + completion_tokens);
});

test("a streamed answer is the same, token by token", async () => {
  const stream = await openai.chat.completions.create({
    model,
    messages,
    stream: true,
    stream_options: { include_usage: true },
  });
  let content = "";
  let pieces = 0;
  let usage: OpenAI.CompletionUsage | null | undefined;
  let citations: Source[] = [];
  let finish_reason: string | null = null;
  for await (const chunk of stream) {
    const [choice] = chunk.choices;
    if (choice?.delta.content) pieces++;
    content += choice?.delta.content ?? "";
    finish_reason ??= choice?.finish_reason ?? null;
    usage ??= chunk.usage;
    citations = (chunk as unknown as { citations?: Source[] }).citations ?? citations;
  }
  const plain = await line.ask({ query: messages[0]!.content });
  expect(pieces).toBeGreaterThan(3);
  expect(content).toBe(plain.body.answer);
  expect(citations).toEqual(plain.body.sources);
  expect(finish_reason).toBe("stop");
  const { prompt_tokens, completion_tokens } = plain.body.usage!;
  expect<unknown>(usage).toEqual({
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
  });
});

test("a client that leaves its stream ends its job, down to the replica", async () => {
  const [replica] = line.replicas;
  const before = (await replica!.stats()).aborted;
  const stream = await openai.chat.completions.create({ model, messages, stream: true });
  for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break;
  await replica!.until(({ aborted }) => aborted > before);
});

test("a question that refers to the one before it is answered from that one's article", async () => {
  const completion = await openai.chat.completions.create({
    model,
    messages: [
      { role: "system", content: "You are a pirate." },
      { role: "user", content: "What is recursion?" },
      { role: "assistant", content: "A function that calls itself." },
      { role: "user", content: [{ type: "text", text: "And how does it end?" }] },
    ],
  });
  const { citations } = completion as unknown as ChatCompletion;
  expect(citations[0]!.title).toBe("Recursion");
});

test("the models are listed, and no other is there", async () => {
  const models = await openai.models.list();
  expect(models.data.map(({ id }) => id)).toEqual([model, "all-MiniLM-L6-v2"]);
  expect(await openai.models.retrieve(model)).toMatchObject({ id: model, object: "model" });
  expect(await refusal(openai.models.retrieve("gpt"))).toBeInstanceOf(OpenAI.NotFoundError);
  expect(await refusal(openai.chat.completions.create({ model: "gpt", messages }))).toMatchObject({
    status: 404,
    code: "model_not_found",
  });
});

test("what is wrong with a request is told in the shape that the client knows", async () => {
  const ask = (more: object) => refusal(openai.chat.completions.create({ model, messages, ...more }));
  const nothing = await ask({ messages: [{ role: "user", content: " " }] });
  expect(nothing).toBeInstanceOf(OpenAI.BadRequestError);
  expect(nothing).toMatchObject({ code: "invalid_request", type: "invalid_request_error" });
  expect(await ask({ n: 2 })).toMatchObject({ status: 400, code: "invalid_request" });
  expect(await ask({ messages: [{ role: "user", content: "long ".repeat(5_000) }] })).toMatchObject({
    status: 400,
    code: "context_length_exceeded",
  });
});

test("a question that is whole stands alone", () => {
  const conversation = (...asked: string[]) =>
    questionOf(asked.map((content) => ({ role: "user", content })));
  expect(conversation("What is recursion?", "Why do databases use indexes?")).toBe(
    "Why do databases use indexes?",
  );
  expect(conversation("What is recursion?", "Where is it used?", "An example?")).toBe(
    "What is recursion?\nWhere is it used?\nAn example?",
  );
  const long = "x".repeat(8_190);
  expect(conversation(long, "Why is it so?")).toBe("Why is it so?");
});

test("where no replica counted, usage is an estimate and says so", () => {
  const source = { id: "1", title: "1234", source: "s", score: 1, text: "12345678" };
  const about = { job_id: "job", latency_ms: 1, selected_replica: "r", worker: "w", timings: {} };
  const { usage } = chatCompletion("1234", { ...about, answer: "12345", sources: [source] });
  expect(usage).toEqual({ prompt_tokens: 4, completion_tokens: 2, total_tokens: 6, estimated: true });
});

test("an answer that begins anew goes on if it is the same, and is an error if not", () => {
  const encode = () => {
    const encoder = chunkEncoder("a question", false);
    const token = (text: string) => encoder({ id: "1", event: "token", data: { text } });
    const reset = () => encoder({ id: "1", event: "reset", data: {} });
    encoder({ id: "0", event: "accepted", data: { job_id: "job" } });
    return { token, reset };
  };
  const same = encode();
  same.token("A line");
  same.reset();
  expect(same.token("A li")).toBe("");
  expect(same.token("ne of people")).toContain('"content":" of people"');
  const other = encode();
  other.token("A line");
  other.reset();
  expect(other.token("It is a line")).toContain('"code":"replica_failed"');
  expect(other.token(" of people")).toBe("");
});
