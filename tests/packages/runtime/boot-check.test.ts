/** What a start says of the Redis that it was given: real servers with options, and one that says it is old. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { pino } from "pino";
import { checkRedis, isOlder } from "#runtime";
import { startRedis, type TestRedis } from "../../support/redis.ts";

const warnings: string[] = [];
const log = pino(
  { level: "warn" },
  {
    write(line: string) {
      warnings.push(JSON.parse(line).msg);
    },
  },
);
beforeEach(() => {
  warnings.length = 0;
});

/** The warnings of a check over a connection of its own. */
async function warningsOf(url: string): Promise<string[]> {
  const redis = new Redis(url);
  await checkRedis(redis, log);
  redis.disconnect();
  return warnings;
}

describe("a check of Redis at start", () => {
  let server: TestRedis;
  const dir = mkdtempSync(join(tmpdir(), "ragline-"));
  beforeAll(async () => {
    server = await startRedis({ dir });
  });
  beforeEach(() =>
    server.client.config("SET", "maxmemory-policy", "noeviction", "appendonly", "yes", "save", ""),
  );
  afterAll(async () => {
    await server.stop();
    rmSync(dir, { recursive: true });
  });

  test("says nothing of one that keeps what it is given", async () => {
    expect(await warningsOf(server.url)).toEqual([]);
  });

  test("warns of a policy that evicts, and says which to set", async () => {
    await server.client.config("SET", "maxmemory-policy", "allkeys-lru");
    expect(await warningsOf(server.url)).toEqual([
      "Redis may evict jobs and answers when its memory is full: set maxmemory-policy to noeviction (it is allkeys-lru)",
    ]);
  });

  test("warns of one that writes nothing to disk, and says what to set", async () => {
    await server.client.config("SET", "appendonly", "no");
    expect(await warningsOf(server.url)).toEqual([
      "Redis writes no append-only file and takes no snapshots: a restart of it would lose every job under way. Set appendonly to yes",
    ]);
  });

  test("takes snapshots for persistence", async () => {
    await server.client.config("SET", "appendonly", "no", "save", "3600 1");
    expect(await warningsOf(server.url)).toEqual([]);
  });

  describe("where CONFIG is forbidden", () => {
    let managed: string;
    beforeEach(async () => {
      await server.client.call("ACL", "SETUSER", "managed", "on", ">secret", "~*", "+@all", "-config");
      managed = server.url.replace("//", "//managed:secret@");
    });

    test("goes by what INFO says", async () => {
      expect(await warningsOf(managed)).toEqual([]);
      await server.client.config("SET", "maxmemory-policy", "volatile-ttl");
      expect(await warningsOf(managed)).toEqual([expect.stringContaining("(it is volatile-ttl)")]);
    });

    test("warns of a missing append-only file, as snapshots cannot be seen", async () => {
      await server.client.config("SET", "appendonly", "no", "save", "3600 1");
      expect(await warningsOf(managed)).toEqual([
        expect.stringContaining("does not say whether it takes snapshots"),
      ]);
    });
  });

  test("says so where INFO is forbidden too", async () => {
    await server.client.call("ACL", "SETUSER", "blind", "on", ">secret", "~*", "+@all", "-info");
    const redis = new Redis(server.url.replace("//", "//blind:secret@"), { enableReadyCheck: false });
    await checkRedis(redis, log);
    redis.disconnect();
    expect(warnings).toEqual([
      "Redis does not let this user call INFO: its version and settings go unchecked",
    ]);
  });

  test("waits for a Redis that is not there yet, and then looks once", async () => {
    const late = await startRedis({ "maxmemory-policy": "allkeys-random" });
    await late.kill();
    const redis = new Redis(late.url, { retryStrategy: () => 20, maxRetriesPerRequest: null });
    redis.on("error", () => {});
    const checked = checkRedis(redis, log);
    await new Promise((resolve) => redis.once("reconnecting", resolve));
    expect(warnings).toEqual([]);
    await late.restart();
    await checked;
    redis.disconnect();
    await late.stop();
    expect(warnings.filter((warning) => warning.includes("allkeys-random"))).toHaveLength(1);
  });
});

describe("a Redis that is too old", () => {
  test.each([
    ["6.0.16", true],
    ["5.0.14", true],
    ["2.8.4", true],
    ["6.2.0", false],
    ["6.2", false],
    ["6.10.0", false],
    ["7.0.15", false],
    ["10.0.0", false],
    ["255.255.255", false],
  ])("%s is older than 6.2: %p", (version, older) => {
    expect(isOlder(version, "6.2")).toBe(older);
  });

  test("is refused with one line and exit code 2", async () => {
    const info = "# Server\r\nredis_version:5.0.14\r\nloading:0\r\n";
    const old = Bun.listen({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        data(socket, bytes) {
          // Each command is an array of bulk strings, its name first; a Redis before 6 knows no HELLO.
          for (const command of bytes
            .toString()
            .split(/^\*\d+\r\n/m)
            .slice(1)) {
            const name = command.split("\r\n")[1] ?? "";
            const known = name.toLowerCase() === "info";
            socket.write(known ? `$${info.length}\r\n${info}\r\n` : `-ERR unknown command '${name}'\r\n`);
          }
        },
      },
    });
    const start = `
      import { Redis } from "ioredis";
      import { pino } from "pino";
      import { checkRedis } from "./packages/runtime/boot-check.ts";
      await checkRedis(new Redis("redis://127.0.0.1:${old.port}"), pino());
      console.log("started");
    `;
    const child = Bun.spawn([process.execPath, "-e", start], { stdout: "pipe", stderr: "pipe" });
    const [out, err] = await Promise.all([
      new Response(child.stdout).text(),
      new Response(child.stderr).text(),
    ]);
    old.stop(true);
    expect(out).toBe("");
    expect(err).toBe(
      "Redis 5.0.14 is too old: Ragline needs 6.2 or newer. Update it, or set REDIS_URL to another\n",
    );
    expect(await child.exited).toBe(2);
  });
});
