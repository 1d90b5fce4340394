/** The client against replicas that answer, fail, hang and die. */
import { afterAll, afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  type ReplicaApi,
  ReplicaError,
  type ReplicaOptions,
  type ReplicaUsage,
  replicaClient,
} from "../../../../apps/llm/replica/index.ts";
import { buildPrompt } from "../../../../apps/retriever/prompt.ts";
import { freePort } from "../../../support/free-port.ts";
import { type MockReplica, startMockReplica } from "../../../support/mock-replica.ts";

const apis: ReplicaApi[] = ["ollama", "ollama-chat", "openai"];
const prompt = buildPrompt("What holds work?", [
  { title: "Queues", text: "A queue holds work. It is long." },
]);
const answer = "A queue holds work. [1]";
const never = new AbortController().signal;

const mocks = new Map<string, Promise<MockReplica>>();
afterAll(async () => {
  for (const mock of mocks.values()) await (await mock).stop();
});

/** One for all tests that want the same settings. */
function mockReplica(env: Record<string, string> = {}): Promise<MockReplica> {
  const key = JSON.stringify(env);
  const mock = mocks.get(key) ?? startMockReplica(env);
  mocks.set(key, mock);
  return mock;
}

/** Runs `call`, and resolves once the mock has seen its client disconnect. */
async function seesDisconnect(mock: MockReplica, call: () => Promise<void>): Promise<void> {
  const { aborted } = await mock.stats();
  await call();
  await mock.until((stats) => stats.in_flight === 0 && stats.aborted === aborted + 1);
}

let stops: (() => unknown)[] = [];
afterEach(async () => {
  await Promise.all(stops.map((stop) => stop()));
  stops = [];
});

/** A replica of these tests' own. */
function replica(fetch: (request: Request) => Response | Promise<Response>): string {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", development: false, fetch });
  stops.push(() => server.stop(true));
  return server.url.origin;
}

function client(options: Partial<ReplicaOptions> = {}) {
  return replicaClient({
    api: "ollama",
    model: "m",
    first_token_ms: 5_000,
    between_tokens_ms: 5_000,
    ...options,
  });
}

async function failure(of: Promise<unknown>): Promise<ReplicaError> {
  const error = await of.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(error).toBeInstanceOf(ReplicaError);
  return error as ReplicaError;
}

describe.each(apis)("a replica that speaks %s", (api) => {
  test("answers, token by token", async () => {
    const { url } = await mockReplica();
    const tokens: string[] = [];
    const onToken = (token: string) => tokens.push(token);
    expect(await client({ api }).generate({ url, prompt, signal: never, onToken })).toBe(answer);
    expect(tokens).toEqual(["A", " queue", " holds", " work.", " [1]"]);
  });

  test("and fails is an error of its status, in its own words", async () => {
    const { url } = await mockReplica({ MOCK_FAILURE_RATE: "1" });
    const error = await failure(client({ api }).generate({ url, prompt, signal: never }));
    expect(error).toMatchObject({ code: "http", url });
    expect(error.message).toBe(
      `the replica at ${url} answered with status 500: the model runner has failed (MOCK_FAILURE_RATE)`,
    );
  });

  test("and answers rubbish is malformed", async () => {
    const { url } = await mockReplica({ MOCK_GARBAGE_RATE: "1" });
    expect(await failure(client({ api }).generate({ url, prompt, signal: never }))).toMatchObject({
      code: "malformed",
    });
  });

  test("and dies midway is cut off, after the tokens it sent", async () => {
    const { url } = await mockReplica({ MOCK_CUT_RATE: "1" });
    const tokens: string[] = [];
    const onToken = (token: string) => tokens.push(token);
    const error = await failure(client({ api }).generate({ url, prompt, signal: never, onToken }));
    expect(error).toMatchObject({ code: "cut_off", cause: expect.any(Error) });
    expect(tokens).toEqual(["A", " queue", " holds"]);
  });

  test("and hangs is timed out, and let go of", async () => {
    const mock = await mockReplica({ MOCK_HANG_RATE: "1" });
    await seesDisconnect(mock, async () => {
      const call = client({ api, first_token_ms: 60 }).generate({ url: mock.url, prompt, signal: never });
      const error = await failure(call);
      expect(error.code).toBe("timeout");
      expect(error.message).toBe(`the replica at ${mock.url} sent no token within 60 ms`);
    });
  });

  test("and falls silent midway is timed out, and let go of", async () => {
    const mock = await mockReplica({ MOCK_TOKENS_PER_SECOND: "0.1" });
    await seesDisconnect(mock, async () => {
      const call = client({ api, between_tokens_ms: 60 }).generate({ url: mock.url, prompt, signal: never });
      const error = await failure(call);
      expect(error.code).toBe("timeout");
      expect(error.message).toEndWith("sent no further token within 60 ms");
    });
  });

  test.each([
    ["before its first token", { MOCK_HANG_RATE: "1" }],
    ["between two tokens", { MOCK_TOKENS_PER_SECOND: "0.1" }],
  ])("is let go of within 250 ms when its caller leaves %s", async (_, env) => {
    const mock = await mockReplica(env);
    const reason = new Error("the client has gone");
    let left = 0;
    await seesDisconnect(mock, async () => {
      const caller = new AbortController();
      const call = client({ api }).generate({ url: mock.url, prompt, signal: caller.signal });
      call.catch(() => {});
      await mock.until((stats) => stats.in_flight === 1);
      left = performance.now();
      caller.abort(reason);
      await expect(call).rejects.toBe(reason);
    });
    expect(performance.now() - left).toBeLessThan(250);
  });

  test("and is not there has refused", async () => {
    const url = `http://127.0.0.1:${freePort()}`;
    const error = await failure(client({ api }).generate({ url, prompt, signal: never }));
    expect(error).toMatchObject({ code: "refused", url, cause: expect.any(Error) });
    expect(error.message).toStartWith(`the replica at ${url} gave no response: `);
  });
});

describe("a slow replica", () => {
  test("is waited for while tokens come in time, however long it takes in all", async () => {
    const mock = await mockReplica({ MOCK_TOKENS_PER_SECOND: "5" });
    const patient = client({ first_token_ms: 5_000, between_tokens_ms: 1_500 });
    expect(await patient.generate({ url: mock.url, prompt, signal: never })).toBe(answer);
  });

  test("is at work while it thinks, but not while it only sends comments", async () => {
    const event = (delta: object) => `data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`;
    const slow = (what: string) =>
      replica(() => {
        async function* body() {
          for (let i = 0; i < 12; i++) {
            yield what;
            await Bun.sleep(150);
          }
          yield `${event({ content: "A queue." })}data: [DONE]\n\n`;
        }
        return new Response(body() as unknown as BodyInit);
      });
    const hasty = client({ api: "openai", first_token_ms: 1_200, between_tokens_ms: 1_200 });
    const thinking = slow(event({ reasoning_content: "Hm." }));
    expect(await hasty.generate({ url: thinking, prompt, signal: never })).toBe("A queue.");
    const error = await failure(hasty.generate({ url: slow(": ping\n\n"), prompt, signal: never }));
    expect(error.code).toBe("timeout");
  });

  test("that keeps its stream open after the answer does not hold the answer up", async () => {
    const line = JSON.stringify({ response: "A queue.", done: true });
    const url = replica(() => {
      async function* body() {
        yield `${line}\n`;
        await Bun.sleep(60_000);
      }
      return new Response(body() as unknown as BodyInit);
    });
    const started = performance.now();
    expect(await client().generate({ url, prompt, signal: never })).toBe("A queue.");
    expect(performance.now() - started).toBeLessThan(1_000);
  });
});

describe("a request", () => {
  let seen: { path: string; headers: Headers; body: unknown }[] = [];
  let url: string;

  beforeEach(() => {
    seen = [];
    url = replica(async (request) => {
      const { pathname } = new URL(request.url);
      seen.push({ path: pathname, headers: request.headers, body: await request.json() });
      const ok = pathname.endsWith("completions")
        ? `data: {"choices":[{"delta":{"content":"A."},"finish_reason":"stop"}]}\n\n`
        : `{"response":"A.","message":{"content":"A."},"done":true}\n`;
      return new Response(ok);
    });
  });

  test.each([
    ["ollama", "/api/generate"],
    ["ollama-chat", "/api/chat"],
    ["openai", "/v1/chat/completions"],
  ] as const)("of %s goes to %s below the base URL, whatever slashes that ends in", async (api, path) => {
    for (const base of ["", "/", "/models/one", "/models/one/"]) {
      expect(await client({ api }).generate({ url: url + base, prompt, signal: never })).toBe("A.");
    }
    expect(seen.map((request) => request.path)).toEqual([
      path,
      path,
      `/models/one${path}`,
      `/models/one${path}`,
    ]);
  });

  test("asks the model for a stream, with the prompt as it is", async () => {
    for (const api of apis) await client({ api, model: "llama3.2" }).generate({ url, prompt, signal: never });
    const messages = [{ role: "user", content: prompt }];
    expect(seen.map((request) => request.body)).toEqual([
      { model: "llama3.2", prompt, stream: true },
      { model: "llama3.2", messages, stream: true },
      { model: "llama3.2", messages, stream: true, stream_options: { include_usage: true } },
    ]);
    expect(seen.map((request) => request.headers.get("content-type"))).toEqual(
      apis.map(() => "application/json"),
    );
    expect(seen.map((request) => request.headers.get("authorization"))).toEqual(apis.map(() => null));
  });

  test("carries the key, where there is one", async () => {
    await client({ api: "openai", api_key: "s3cret" }).generate({ url, prompt, signal: never });
    expect(seen[0]?.headers.get("authorization")).toBe("Bearer s3cret");
  });

  test("is not made for a caller that has left already", async () => {
    const reason = new Error("gone");
    const call = client().generate({ url, prompt, signal: AbortSignal.abort(reason) });
    await expect(call).rejects.toBe(reason);
    expect(seen).toBeEmpty();
  });

  test("uses the connection of the one before", async () => {
    const ports = new Set<number>();
    const server = Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch(request, server) {
        ports.add(server.requestIP(request)!.port);
        async function* body() {
          yield `{"response":"A.","done":true}\n`;
          await Bun.sleep(1); // the stream's end comes a moment after the answer's
        }
        return new Response(body() as unknown as BodyInit);
      },
    });
    stops.push(() => server.stop(true));
    for (let i = 0; i < 5; i++) await client().generate({ url: server.url.origin, prompt, signal: never });
    expect(ports.size).toBe(1);
  });
});

describe("what a replica counted", () => {
  async function usage(url: string, api: ReplicaApi) {
    let told: ReplicaUsage | undefined;
    await client({ api }).generate({ url, prompt, signal: never, onUsage: (counts) => (told = counts) });
    return told;
  }

  test.each(apis)("is told in %s", async (api) => {
    const mock = await mockReplica();
    const words = prompt.split(/\s+/).filter(Boolean).length;
    const { prompt_tokens, completion_tokens } = (await usage(mock.url, api))!;
    expect(prompt_tokens).toBeGreaterThanOrEqual(words);
    expect(completion_tokens).toBeWithin(5, 10);
  });

  test("is told though it comes after the answer, and garbage after that changes nothing", async () => {
    const end = `data: {"choices":[{"delta":{"content":"A."},"finish_reason":"stop"}]}\n\n`;
    const counts = `data: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":2}}\n\n`;
    const url = replica(() => new Response(`${end}${counts}data: {oh\n\ndata: [DONE]\n\n`));
    expect(await usage(url, "openai")).toEqual({ prompt_tokens: 7, completion_tokens: 2 });
  });

  test.each([
    ["nothing", {}],
    ["nulls", { prompt_eval_count: null, eval_count: null }],
    ["words", { prompt_eval_count: "7", eval_count: {} }],
    ["what cannot be", { prompt_eval_count: -1, eval_count: 1e18 }],
    ["parts of tokens", { prompt_eval_count: 0.5, eval_count: 1.5 }],
  ])("is nothing where it says %s", async (_, counts) => {
    const url = replica(() => Response.json({ response: "A.", done: true, ...counts }));
    expect(await usage(url, "ollama")).toEqual({});
  });
});

describe("an error status", () => {
  test.each([
    ["a page", new Response("<h1>Bad Gateway</h1>", { status: 502 }), "status 502: <h1>Bad Gateway</h1>"],
    ["nothing", new Response(null, { status: 503 }), "status 503"],
    [
      "Ollama's",
      Response.json({ error: "model 'm' not found" }, { status: 404 }),
      "404: model 'm' not found",
    ],
    ["OpenAI's", Response.json({ error: { message: "bad key" } }, { status: 401 }), "status 401: bad key"],
    [
      "vLLM's",
      Response.json({ object: "error", message: "too long" }, { status: 400 }),
      "status 400: too long",
    ],
  ])("is told with what came with it: %s", async (_, response, message) => {
    const url = replica(() => response);
    const error = await failure(client().generate({ url, prompt, signal: never }));
    expect(error.code).toBe("http");
    expect(error.message).toEndWith(message);
  });
});

test("what onToken throws goes to the caller as it is, and the request is aborted", async () => {
  const mock = await mockReplica({ MOCK_TOKENS_PER_SECOND: "0.1" });
  const thrown = new Error("no more");
  const onToken = () => {
    throw thrown;
  };
  await seesDisconnect(mock, async () => {
    await expect(client().generate({ url: mock.url, prompt, signal: never, onToken })).rejects.toBe(thrown);
  });
});
