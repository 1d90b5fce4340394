/** `bun run dead`, as a process on a real Redis. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import type { DeadLetter } from "#contracts";
import { runCommand } from "../support/command.ts";
import { freePort } from "../support/free-port.ts";
import { encoderJob, llmJob } from "../support/jobs.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterAll(() => server.stop());

const dead = (args: string, env: Record<string, string> = {}) =>
  runCommand("scripts/dead.ts", args, { REDIS_URL: server.url, REDIS_PREFIX: "", ...env });

async function bury(queue: string, message: string, more: Partial<DeadLetter> = {}): Promise<void> {
  const letter = { message, reason: "is not JSON", stage: "encoder", at: Date.now(), deliveries: 0, ...more };
  await server.client.lpush(`${queue}:dead`, JSON.stringify(letter));
}

const minutesAgo = (minutes: number) => Date.now() - minutes * 60_000;

describe("bun run dead list", () => {
  test("is a table for each queue that has letters", async () => {
    const reason = "its worker died 3 times while handling it";
    await bury("job:encoder_in", "{", { at: minutesAgo(3 * 24 * 60) });
    await bury("job:encoder_in", JSON.stringify(encoderJob({ job_id: "job-2" })), { at: minutesAgo(2.5) });
    const poison = JSON.stringify(llmJob({ job_id: "job-3" }));
    await bury("job:llm_in", poison, { reason, stage: "llm", deliveries: 3, at: minutesAgo(150) });
    expect(await dead("list")).toEqual({
      code: 0,
      err: "",
      out: `job:encoder_in
no  age    stage    deliveries  job id  reason
1   3 d    encoder  0           -       is not JSON
2   2 min  encoder  0           job-2   is not JSON

job:llm_in
no  age  stage  deliveries  job id  reason
1   2 h  llm    3           job-3   its worker died 3 times while handling it
`,
    });
  });

  test("of one queue leaves out the others", async () => {
    await bury("job:encoder_in", "{");
    expect((await dead("list job:llm_in")).out).toBe("no dead letters\n");
  });

  test("with --json is one array", async () => {
    await bury("job:encoder_in", JSON.stringify(encoderJob({ job_id: "job-1" })), { at: 1_000 });
    const { out } = await dead("list --json");
    const rest = { at: 1_000, stage: "encoder", deliveries: 0, reason: "is not JSON" };
    expect(JSON.parse(out)).toEqual([{ queue: "job:encoder_in", number: 1, job_id: "job-1", ...rest }]);
  });

  test("passes no control sequences on to the terminal", async () => {
    await bury("job:encoder_in", "{", { reason: "\u001b[2Jis not\nJSON" });
    expect((await dead("list")).out).toContain(" [2Jis not JSON\n");
  });
});

describe("bun run dead show", () => {
  test("shows a letter with its message, pretty printed", async () => {
    await bury("job:encoder_in", "{");
    await bury("job:encoder_in", '{"job_id":"a","top_k":0}', { at: Date.UTC(2024, 0, 2) });
    const { out } = await dead("show job:encoder_in 2");
    expect(out).toMatch(/^at {10}2024-01-02T00:00:00.000Z, \d+ d ago$/m);
    expect(out.replace(/^at .*\n/m, "")).toBe(`job:encoder_in 2
reason      is not JSON
stage       encoder
deliveries  0
message     {
  "job_id": "a",
  "top_k": 0
}
`);
  });

  test("with --json has messages as values, and as text where they are no objects", async () => {
    await bury("job:encoder_in", "{");
    await bury("job:encoder_in", '{"job_id":"a"}');
    const shown = JSON.parse((await dead("show job:encoder_in --json")).out);
    expect(shown.map(({ message }: { message: unknown }) => message)).toEqual(["{", { job_id: "a" }]);
  });
});

describe("bun run dead retry", () => {
  test("puts the given letters of a queue back", async () => {
    for (const message of ["a", "b", "c"]) await bury("job:encoder_in", message);
    expect(await dead("retry job:encoder_in 1 3")).toEqual({
      code: 0,
      err: "",
      out: "job:encoder_in: put back 2\n",
    });
    expect(await server.client.lrange("job:encoder_in", 0, -1)).toEqual(["c", "a"]);
    expect(await server.client.llen("job:encoder_in:dead")).toBe(1);
  });

  test("without a queue puts all back, each into its own", async () => {
    await bury("job:encoder_in", "a");
    await bury("job:index_in", "b");
    await dead("retry");
    expect(await server.client.rpop("job:encoder_in")).toBe("a");
    expect(await server.client.rpop("job:index_in")).toBe("b");
  });
});

describe("bun run dead drop", () => {
  test("deletes the letters of a queue that is named", async () => {
    await bury("job:encoder_in", "a");
    await bury("job:llm_in", "b");
    expect((await dead("drop job:encoder_in")).out).toBe("job:encoder_in: dropped 1\n");
    expect(await server.client.keys("*")).toEqual(["job:llm_in:dead"]);
  });

  test("of all queues deletes nothing without --yes", async () => {
    await bury("job:encoder_in", "a");
    const refused = await dead("drop");
    expect(refused).toMatchObject({ code: 2, out: "" });
    expect(refused.err).toContain("--yes");
    expect(await server.client.llen("job:encoder_in:dead")).toBe(1);
    expect((await dead("drop --yes")).code).toBe(0);
    expect(await server.client.keys("*")).toEqual([]);
  });
});

describe("bun run dead", () => {
  test.each([
    ["list job:nowhere", "there is no queue job:nowhere: give one of job:encoder_in, "],
    ["retry job:encoder_in 7", "job:encoder_in has no dead letter 7: it has none"],
    ["drop job:encoder_in 0", "0 is not a dead letter's number"],
    ["bury", "bury is not something to do: list, show, retry, drop"],
    ["", "nothing is not something to do"],
    ["list --jsno", "Unknown option '--jsno'"],
  ])("%p is refused with one line and exit code 2", async (args, line) => {
    const { code, out, err } = await dead(args);
    expect({ code, out }).toEqual({ code: 2, out: "" });
    expect(err).toStartWith(line);
    expect(err.trimEnd()).not.toContain("\n");
  });

  test("without a Redis names REDIS_URL at once, and keeps its password to itself", async () => {
    const port = freePort();
    const { code, out, err } = await dead("list", { REDIS_URL: `redis://:secret@127.0.0.1:${port}` });
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toStartWith(`no Redis at 127.0.0.1:${port} (connect ECONNREFUSED`);
    expect(err).toContain("set REDIS_URL");
    expect(err).not.toContain("secret");
  });

  test("looks at the line that REDIS_PREFIX names", async () => {
    await bury("line-a:job:encoder_in", "{");
    expect((await dead("list", { REDIS_PREFIX: "line-a:" })).out).toStartWith("job:encoder_in\n");
    expect((await dead("list")).out).toBe("no dead letters\n");
  });

  test("--help says what it takes", async () => {
    expect((await dead("--help")).out).toStartWith("Usage: bun run dead list|show|retry|drop");
  });
});
