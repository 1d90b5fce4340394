/** Where replicas come from: a list, names, a file that changes. */
import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readReplicas } from "#runtime";

let folder: string;
let file: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ragline-replicas-"));
});
beforeEach(() => {
  file = join(folder, "replicas.txt");
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a list is taken as it is, without repetitions", async () => {
  expect(await readReplicas({ LLM_REPLICAS: ["http://b:1", "http://a:1", "http://b:1"] })).toEqual([
    "http://a:1",
    "http://b:1",
  ]);
});

test("a name stands for each of its addresses", async () => {
  const urls = await readReplicas({ LLM_REPLICAS: ["dns+http://localhost:8080"] });
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) expect(url).toMatch(/^http:\/\/(127\.0\.0\.1|\[::1\]):8080$/);
});

test("a file holds one a line, with comments", async () => {
  writeFileSync(file, "# ours\nhttp://a:1\n\nhttp://b:1 # the new one\n");
  expect(await readReplicas({ LLM_REPLICAS: [], LLM_REPLICAS_FILE: file })).toEqual([
    "http://a:1",
    "http://b:1",
  ]);
});

test.each([
  ["ftp://a", "is not a replica's base URL"],
  ["# nothing", "names no replica"],
])("a file with %s is refused, by its name", async (content, reason) => {
  writeFileSync(file, content);
  const reading = readReplicas({ LLM_REPLICAS: [], LLM_REPLICAS_FILE: file });
  await expect(reading).rejects.toThrow(`LLM_REPLICAS_FILE ${file}`);
  await expect(readReplicas({ LLM_REPLICAS: [], LLM_REPLICAS_FILE: file })).rejects.toThrow(reason);
});
