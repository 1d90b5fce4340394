import { afterEach, describe, expect, test } from "bun:test";
import type { Server } from "bun";
import { freePort } from "../support/free-port.ts";
import { services } from "./compose-file.ts";

let server: Server<undefined> | undefined;
afterEach(() => server?.stop(true));

function answer(status: number): string {
  server = Bun.serve({ hostname: "127.0.0.1", port: 0, fetch: () => new Response("redis: no", { status }) });
  return server.url.href;
}

async function run(command: readonly string[]): Promise<{ code: number; stderr: string }> {
  const child = Bun.spawn([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  const stderr = await new Response(child.stderr).text();
  return { code: await child.exited, stderr };
}

describe("scripts/healthcheck.ts", () => {
  const check = (...args: string[]) => run([process.execPath, "scripts/healthcheck.ts", ...args]);

  test("succeeds where the app is ready", async () => {
    expect(await check(answer(200))).toEqual({ code: 0, stderr: "" });
  });

  test("fails where it is not, and says what the app says", async () => {
    const url = answer(503);
    expect(await check(url)).toEqual({ code: 1, stderr: `${url} answers 503: redis: no\n` });
  });

  test("fails where nobody listens", async () => {
    expect((await check(`http://127.0.0.1:${freePort()}/ready`)).code).toBe(1);
  });

  test("without a URL it says so", async () => {
    expect((await check()).stderr).toStartWith("which URL?");
  });
});

const bash = Bun.which("bash");
describe.if(bash !== null)("the check of Qdrant's container", () => {
  const script = services.get("qdrant")!.healthcheck!.test.at(-1)!;
  const check = (port: number | string) => run([bash!, "-c", script.replace("/6333", `/${port}`)]);

  test("succeeds where Qdrant is ready", async () => {
    expect((await check(new URL(answer(200)).port)).code).toBe(0);
  });

  test("fails where it is not", async () => {
    expect((await check(new URL(answer(503)).port)).code).not.toBe(0);
  });

  test("fails where nobody listens", async () => {
    expect((await check(freePort())).code).not.toBe(0);
  });
});
