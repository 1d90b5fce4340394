/** `bun run dev`, as a user has it: one command, an answered question, Ctrl-C. */
import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort } from "../support/free-port.ts";
import { ask } from "../support/line.ts";
import { startProcess, type TestProcess } from "../support/process.ts";

setDefaultTimeout(60_000);

interface Copy {
  readonly dev: TestProcess;
  readonly url: string;
  readonly data_dir: string;
}

const copies: Copy[] = [];

function start(data_dir = mkdtempSync(join(tmpdir(), "ragline-dev-"))): Copy {
  const port = freePort();
  const env = { PORT: String(port), DATA_DIR: data_dir, REDIS_URL: "", LLM_REPLICAS: "" };
  const copy = { dev: startProcess("apps/dev/main.ts", env), url: `http://127.0.0.1:${port}`, data_dir };
  copies.push(copy);
  return copy;
}

/** Every process that works on the data of a copy. */
async function processes({ data_dir }: Copy): Promise<string[]> {
  const found = await new Response(Bun.spawn(["pgrep", "-f", data_dir]).stdout).text();
  return found.split("\n").filter(Boolean);
}

afterEach(async () => {
  for (const { dev, data_dir } of copies.splice(0)) {
    await dev.stop();
    rmSync(data_dir, { recursive: true, force: true });
  }
});

test("two copies run side by side, each answers from the corpus, and Ctrl-C stops all of them", async () => {
  const [first, second] = [start(), start()];
  for (const { dev, url } of [first, second]) {
    expect(await dev.line("curl")).toContain("What is machine learning?");
    const { status, body } = await ask(url, { query: "What is machine learning?" });
    expect(status).toBe(200);
    expect(body.sources[0]!.source).toBe("corpus/machine-learning.md");
  }
  const redis = (copy: Copy) => copy.dev.line("redis://");
  expect(await redis(first)).not.toBe(await redis(second));

  const third = start(first.data_dir);
  expect(await third.dev.child.exited).toBe(2);
  expect(third.dev.stderr()).toContain("is in use by another");

  for (const copy of [first, second]) {
    const started = performance.now();
    copy.dev.child.kill("SIGINT");
    copy.dev.child.kill("SIGINT"); // as by the terminal and by `npm run`
    expect(await copy.dev.child.exited).toBe(0);
    expect(performance.now() - started).toBeLessThan(5_000);
    expect(await processes(copy)).toEqual([]);
  }
});

test("a program that crashes is started again", async () => {
  const { dev, url } = start();
  await dev.line("curl");
  const retriever = await new Response(
    Bun.spawn(["pgrep", "-f", "-P", String(dev.child.pid), "apps/retriever/main.ts"]).stdout,
  ).text();
  process.kill(Number(retriever.trim()), "SIGKILL");
  const { status } = await ask(url, { query: "What is machine learning?" });
  expect(status).toBe(200);
  expect(dev.stderr()).toContain("[retriever] ended with SIGKILL: starting it again");
});

test("a port that is taken is one line, and exit code 2", async () => {
  const holder = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  for (const path of ["apps/dev/main.ts", "apps/gateway/main.ts"]) {
    const program = startProcess(path, {
      PORT: String(holder.port),
      DATA_DIR: join(tmpdir(), "ragline-unused"),
    });
    expect(await program.child.exited).toBe(2);
    expect(program.stderr()).toContain(String(holder.port));
    expect(program.stderr()).toContain("PORT");
  }
  holder.stop(true);
});
