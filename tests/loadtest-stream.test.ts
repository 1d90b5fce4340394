/** Streamed answers as the load test reads them, from a server that speaks the gateway's events. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { QueryAnswer } from "#contracts";
import { ask, type Outcome } from "../bench/loadtest/outcome.ts";

setDefaultTimeout(60_000);

const signal = new AbortController().signal;
const running: Bun.Server<undefined>[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop(true)));
});

const body: QueryAnswer = {
  job_id: "j1",
  answer: "Über alles: ja.",
  latency_ms: 1,
  selected_replica: "http://r",
  worker: "w",
  sources: [],
  timings: {},
};

const event = (name: string, data: unknown, id: string | null = name) =>
  `${id === null ? "" : `id: ${id}\n`}event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
const accepted = event("accepted", { job_id: "j1" });
const sources = event("sources", []);
const token = (text: string, id = text) => event("token", { text }, id);
const done = event("done", body);

/** Writes `parts`; a number is a pause in ms. Returns when each token was written, after the request came. */
function gateway(...parts: (string | Uint8Array | number)[]) {
  const written: number[] = [];
  const requests: unknown[] = [];
  const server = Bun.serve({
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const came = performance.now();
      requests.push(await request.json());
      async function* events() {
        for (const part of parts) {
          if (typeof part === "number") await Bun.sleep(part);
          else {
            if (String(part).includes("event: token")) written.push(performance.now() - came);
            yield part;
          }
        }
      }
      return new Response(events as unknown as BodyInit, {
        headers: { "content-type": "text/event-stream" },
      });
    },
  });
  running.push(server);
  return { url: `http://localhost:${server.port}`, written, requests };
}

function asked(url: string, more: { abort_after_ms?: number; timeout_ms?: number } = {}): Promise<Outcome> {
  return ask("Why?", { url, timeout_ms: 30_000, signal, stream: true, ...more });
}

test("the time to the first token and between tokens are those of the server", async () => {
  const paces = [60, 20, 20, 150];
  const tokens = paces.flatMap((pause, i) => [pause, token(` w${i}`)]);
  const { url, written, requests } = gateway(accepted, sources, ": heartbeat\n\n", ...tokens, done);
  const outcome = await asked(url);
  if (outcome.kind !== "answered") throw new Error(JSON.stringify(outcome));
  expect(requests).toEqual([{ query: "Why?", stream: true }]);
  expect(outcome.answer).toEqual(body);
  const { first_ms, gaps_ms } = outcome.tokens!;
  expect(first_ms).toBeGreaterThanOrEqual(written[0]! - 1);
  expect(gaps_ms).toHaveLength(3);
  // Each may come late, and then the next gap is shorter: their sum cannot.
  const sum = gaps_ms.reduce((all, gap) => all + gap, 0);
  expect(first_ms + sum).toBeGreaterThanOrEqual(written[3]! - 1);
  expect(first_ms + sum).toBeLessThanOrEqual(outcome.elapsed_ms);
});

test("events may be cut anywhere, within a character too", async () => {
  const bytes = new TextEncoder().encode(accepted + sources + token("Ü") + token("ber") + done);
  const { url } = gateway(...[...bytes].map((byte) => Uint8Array.of(byte)));
  const outcome = await asked(url);
  expect(outcome).toMatchObject({ kind: "answered", answer: { answer: body.answer } });
});

test.each([
  [
    "an error event counts under its code",
    [accepted, event("error", { error: { code: "llm_failed", message: "no" } })],
    "llm_failed",
  ],
  ["a stream that ends early", [accepted, token("a")], "stream ended before it was done"],
  [
    "an event without an id",
    [accepted, event("token", { text: "a" }, null), done],
    "malformed answer: event token without an id",
  ],
  [
    "another job's answer",
    [event("accepted", { job_id: "j2" }), done],
    "malformed answer: done is of another job than accepted",
  ],
  [
    "done without an answer",
    [accepted, event("done", { answer: "x" })],
    "malformed answer: /job_id: Expected required property",
  ],
])("a failure: %s", async (_, parts, reason) => {
  expect(await asked(gateway(...parts).url)).toEqual({ kind: "failed", reason });
});

test("a plain answer to a streamed question is a failure", async () => {
  const server = Bun.serve({ port: 0, fetch: () => Response.json(body) });
  running.push(server);
  const reason = "malformed answer: not an event stream";
  expect(await asked(`http://localhost:${server.port}`)).toEqual({ kind: "failed", reason });
});

test("a client may hang up midway; a stream that never ends is a time-out", async () => {
  const { url } = gateway(accepted, token("a"), 60_000, done);
  expect(await asked(url, { abort_after_ms: 100 })).toEqual({ kind: "aborted" });
  expect(await asked(url, { timeout_ms: 100 })).toEqual({ kind: "failed", reason: "timeout" });
});
