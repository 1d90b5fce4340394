/** A store that the gateway cannot use. */
import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { sqlitePath } from "#runtime";
import { runCommand } from "../../support/command.ts";
import { freePort } from "../../support/free-port.ts";

test("a store of an older version is one line that says what brings it up to date, and exit code 1", async () => {
  const DATA_DIR = mkdtempSync(join(tmpdir(), "ragline-old-"));
  const db = new Database(sqlitePath(DATA_DIR), { create: true });
  db.run("CREATE TABLE documents (id TEXT)");
  db.run("PRAGMA user_version = 1");
  db.close();
  const REDIS_URL = `redis://127.0.0.1:${freePort()}`;
  const { code, err } = await runCommand("apps/gateway/main.ts", "", { DATA_DIR, REDIS_URL, PORT: "0" });
  rmSync(DATA_DIR, { recursive: true });
  expect(err.trimEnd().split("\n")).toEqual([
    expect.stringMatching(/has schema version 1, .*bun run ingest/),
  ]);
  expect(code).toBe(1);
});
