/** One try to deliver, at receivers that mean no good. */
import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import type { WebhookIn } from "#contracts";
import { Fail, Retry } from "#queue";
import { parseNetworks } from "#webhook";
import { type DeliverOptions, type Delivery, deliverer } from "../../../apps/webhooks/deliver.ts";

setDefaultTimeout(30_000);

const SECRET = `whsec_${Buffer.alloc(24, 7).toString("base64")}`;
const NEVER = new AbortController().signal;
/** What tells that a connection was made that must not be. */
let inner_hits = 0;
const inner = Bun.serve({
  port: 0,
  hostname: "127.0.0.2",
  fetch() {
    inner_hits++;
    return new Response();
  },
});
const receivers: { stop(force: boolean): unknown }[] = [inner];
afterAll(() => Promise.all(receivers.map((receiver) => receiver.stop(true))));

function receiver(answer: (request: Request) => Response | Promise<Response>) {
  const server = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: answer });
  receivers.push(server);
  return server;
}

function webhook(url: string, more: Partial<WebhookIn> = {}): WebhookIn {
  const about = { job_id: "job:webhook", submitted_at: 0, deadline: Date.now() + 60_000, reply_to: "g" };
  const failed = {
    status: "error",
    stage: "llm",
    code: "replica_failed",
    message: "none",
    timings: {},
  } as const;
  const completion = { job_id: "job", ...failed };
  return { ...about, timings: {}, url, secret: SECRET, completed_at: 1_700_000_000_000, completion, ...more };
}

async function deliver(job: WebhookIn, options: Partial<DeliverOptions> = {}) {
  const told: Delivery[] = [];
  const handle = deliverer({
    allowed: parseNetworks(["127.0.0.1/32"]),
    timeout_ms: 5_000,
    observe: (delivery) => told.push(delivery),
    ...options,
  });
  const outcome = await handle(job, { signal: NEVER }).catch((error: unknown) => error);
  return { outcome, told };
}

test("a name is spoken to at the address that was checked, and looked up once", async () => {
  let host: string | null = null;
  const { port } = receiver((request) => {
    host = request.headers.get("host");
    return new Response();
  });
  const answers = [["127.0.0.1"], ["127.0.0.2"]];
  const { outcome } = await deliver(webhook(`http://rebinding.example:${port}/x`), {
    resolve: async () => answers.shift()!,
  });
  expect(outcome).toMatchObject({ status: "ok", delivered: 200 });
  expect<string | null>(host).toBe(`rebinding.example:${port}`);
  expect(answers).toHaveLength(1);
});

test("a proxy of the environment is not asked: it would look the name up again", async () => {
  const { port } = receiver(() => new Response());
  const before = process.env.http_proxy;
  process.env.http_proxy = `http://127.0.0.2:${inner.port}`;
  const { outcome } = await deliver(webhook(`http://hooks.example:${port}/`), {
    resolve: async () => ["127.0.0.1"],
  });
  if (before === undefined) delete process.env.http_proxy;
  else process.env.http_proxy = before;
  expect(outcome).toMatchObject({ delivered: 200 });
  expect(inner_hits).toBe(0);
});

test("a name that has come to lead to a private address is refused for good", async () => {
  const { outcome, told } = await deliver(webhook(`http://hooks.example:${inner.port}/`), {
    resolve: async () => ["127.0.0.1", "127.0.0.2"],
  });
  expect(outcome).toBeInstanceOf(Fail);
  expect(outcome).toMatchObject({ code: "webhook_refused" });
  expect([told, inner_hits]).toEqual([["refused"], 0]);
});

test.each([301, 302, 303, 307, 308])(
  "a redirect with %d to a private address is not followed",
  async (status) => {
    const location = `http://127.0.0.2:${inner.port}/`;
    const { port } = receiver(() => new Response(null, { status, headers: { location } }));
    const { outcome, told } = await deliver(webhook(`http://127.0.0.1:${port}/`));
    expect(outcome).toBeInstanceOf(Retry);
    expect([told, inner_hits]).toEqual([["failed"], 0]);
  },
);

test("what is written in the queue by whoever is checked like what came over HTTP", async () => {
  for (const url of [
    `http://127.0.0.2:${inner.port}/`,
    "file:///etc/passwd",
    "http://x@127.0.0.1/",
    "nothing",
  ]) {
    const { outcome } = await deliver(webhook(url));
    expect([url, outcome]).toEqual([url, expect.any(Fail)]);
  }
  expect(inner_hits).toBe(0);
});

test("an answer without end is not read", async () => {
  const cancelled = Promise.withResolvers<void>();
  const { port } = receiver(
    () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            controller.enqueue(new Uint8Array(65_536));
            await Bun.sleep(1);
          },
          cancel: () => cancelled.resolve(),
        }),
      ),
  );
  const { outcome } = await deliver(webhook(`http://127.0.0.1:${port}/`));
  expect(outcome).toMatchObject({ delivered: 200 });
  await cancelled.promise;
});

test("a receiver that does not answer, or a look-up that does not end, is tried again later", async () => {
  const { port } = receiver(() => new Promise(() => {}));
  const slow = await deliver(webhook(`http://127.0.0.1:${port}/`), { timeout_ms: 100 });
  expect(slow.outcome).toBeInstanceOf(Retry);
  const lost = await deliver(webhook("http://hooks.example/"), {
    timeout_ms: 100,
    resolve: () => new Promise(() => {}),
  });
  expect(lost.outcome).toBeInstanceOf(Retry);
  expect(lost.told).toEqual(["failed"]);
});

test("nobody there, a name without an address, and an error status are tried again later", async () => {
  const gone = Bun.serve({ port: 0, hostname: "127.0.0.1", fetch: () => new Response() });
  const nobody = `http://127.0.0.1:${gone.port}/`;
  await gone.stop(true);
  const { port } = receiver(() => new Response("no", { status: 500 }));
  const outcomes = [
    await deliver(webhook(nobody)),
    await deliver(webhook("http://hooks.example/"), {
      resolve: () => Promise.reject(new Error("ENOTFOUND")),
    }),
    await deliver(webhook(`http://127.0.0.1:${port}/`)),
  ];
  for (const { outcome } of outcomes) expect(outcome).toBeInstanceOf(Retry);
});

test("410 ends it", async () => {
  const { port } = receiver(() => new Response(null, { status: 410 }));
  const { outcome, told } = await deliver(webhook(`http://127.0.0.1:${port}/`));
  expect(outcome).toMatchObject({ code: "webhook_gone" });
  expect(told).toEqual(["gone"]);
});

test("a server whose certificate nobody vouches for is told nothing", async () => {
  // Plain HTTP where TLS is expected: no more than a greeting goes there.
  let told = "";
  const plain = Bun.listen({
    port: 0,
    hostname: "127.0.0.1",
    socket: {
      data(socket, data) {
        told += data.toString("latin1");
        socket.end("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
      },
    },
  });
  receivers.push(plain);
  const { outcome } = await deliver(webhook(`https://127.0.0.1:${plain.port}/secret-path`));
  expect(outcome).toBeInstanceOf(Retry);
  expect(told).not.toContain("secret-path");
});

test("without a secret nothing is sent; with the server's it is", async () => {
  const { port } = receiver(() => new Response());
  const unsigned = webhook(`http://127.0.0.1:${port}/`, { secret: undefined });
  expect((await deliver(unsigned)).outcome).toMatchObject({ code: "webhook_refused" });
  expect((await deliver(unsigned, { secret: SECRET })).outcome).toMatchObject({ delivered: 200 });
});
