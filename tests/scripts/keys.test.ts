/** `bun run keys`, as a process on a real Redis. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { runCommand } from "../support/command.ts";
import { startRedis, type TestRedis } from "../support/redis.ts";

let server: TestRedis;
beforeAll(async () => {
  server = await startRedis();
});
beforeEach(() => server.client.flushall());
afterAll(() => server.stop());

const keys = (args: string) =>
  runCommand("scripts/keys.ts", args, { REDIS_URL: server.url, REDIS_PREFIX: "" });

test("a key is shown once, and only its digest is kept", async () => {
  const { code, out } = await keys(
    "create --tenant acme --requests-per-minute 30 --tokens-per-day 5000 --priority 2",
  );
  expect(code).toBe(0);
  const [secret] = out.match(/^rk_[\w-]{43}$/m)!;
  const names = await server.client.keys("*");
  for (const name of names) {
    expect(name + JSON.stringify(await server.client.hgetall(name))).not.toContain(secret.slice(3));
  }
  const listed = await keys("list");
  expect(listed.out).toMatch(/^\w{12}\s+acme\s+30\s+5000\s+2\s/m);
  expect(listed.out).not.toContain("rk_");
});

test("a revoked key is gone; one that there is not is exit code 2", async () => {
  const { id } = JSON.parse((await keys("create --tenant acme --json")).out);
  expect(await keys(`revoke ${id}`)).toEqual({ code: 0, out: `revoked ${id}\n`, err: "" });
  expect((await keys("list")).out).toBe("no keys\n");
  expect(await server.client.keys("*")).toEqual([]);
  expect((await keys(`revoke ${id}`)).code).toBe(2);
});

test.each([
  ["", "create, list, revoke"],
  ["create", "--tenant"],
  ["create --tenant a:b", "--tenant"],
  ["create --tenant a --priority 0", "--priority"],
  ["create --tenant a --requests-per-minute -5", "requests-per-minute"],
  ["create --tenant a --admin", "admin"],
  ["revoke", "id"],
])("%p makes no sense: exit code 2, and a line that says why", async (args, why) => {
  const { code, err } = await keys(args);
  expect(code).toBe(2);
  expect(err).toContain(why);
});
