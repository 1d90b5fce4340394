/** The command as a process, in a folder of its own. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { symlink, truncate } from "node:fs/promises";
import { join } from "node:path";
import { directory } from "../../packages/embedding/model-root.ts";
import { until } from "../../support/until.ts";
import { ingestFolder } from "./ingest-folder.ts";

setDefaultTimeout(60_000);

const PROGRAM = join(import.meta.dir, "../../../apps/indexer/ingest.ts");

const folder = ingestFolder();

function start(args: readonly string[], env: Record<string, string> = {}) {
  return Bun.spawn([process.execPath, PROGRAM, ...args], {
    cwd: folder.path,
    env: {
      ...process.env,
      DATA_DIR: join(folder.path, ".data"),
      MODEL_DIR: directory,
      QDRANT_URL: "",
      ...env,
    },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function result(child: ReturnType<typeof start>) {
  const [code, out, errors] = await Promise.all([
    child.exited,
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  const counts =
    /^ingested (\d+) documents \((\d+) chunks\), (\d+) unchanged, (\d+) removed, (\d+) failed in \d+\.\d s\n$/;
  const [documents, chunks, unchanged, removed, failed] = (counts.exec(out) ?? []).slice(1).map(Number);
  return { code, out, errors, counts: { documents, chunks, unchanged, removed, failed } };
}
const ingest = (...args: string[]) => result(start(args));

/** Documents enough for a run to be stopped midway: some tenths of a second each. */
async function writeManyDocuments(): Promise<number> {
  const text = "A sentence that takes the model some time, since there are many like it. ".repeat(24);
  const count = 6;
  for (let at = 0; at < count; at++) await folder.write({ [`docs/${at}.txt`]: `Document ${at}. ${text}` });
  return count;
}

/** Resolves once the store shows a document. */
async function firstDocument(): Promise<void> {
  // Until the first there may be no store yet.
  await until(
    () => folder.storedIds().catch(() => []),
    (ids) => ids.length > 0,
  );
}

test("files and folders of all formats are ingested, and a second time nothing changes", async () => {
  await folder.write({
    "docs/a.md": "# Apples\n\nRed.",
    "docs/deep/b.HTML": "<title>Bananas</title><p>Yellow.",
    "docs/deep/c.txt": "\ufeffCherries.",
    "docs/data.json": "{}",
    "docs/.hidden/d.md": "x",
    "docs/node_modules/e.md": "x",
    "single.markdown": "# Single\n\nx",
  });
  await symlink(join(folder.path, "docs"), join(folder.path, "docs/loop"));

  const first = await ingest("docs", "single.markdown");
  expect(first.counts).toEqual({ documents: 4, chunks: 4, unchanged: 0, removed: 0, failed: 0 });
  expect(first.errors).toBe("files of other kinds skipped: 1\n");
  expect(first.code).toBe(0);
  expect((await folder.stored()).map(({ id, source, title }) => [id, source, title])).toEqual([
    ["docs/a.md", "docs/a.md", "Apples"],
    ["docs/deep/b.HTML", "docs/deep/b.HTML", "Bananas"],
    ["docs/deep/c.txt", "docs/deep/c.txt", "c"],
    ["single.markdown", "single.markdown", "Single"],
  ]);

  const second = await ingest("single.markdown", "docs");
  expect(second.counts).toEqual({ documents: 0, chunks: 0, unchanged: 4, removed: 0, failed: 0 });
});

test("a run that is killed is taken up by the next", async () => {
  const count = await writeManyDocuments();
  const killed = start(["docs"]);
  await firstDocument();
  killed.kill("SIGKILL");
  await killed.exited;
  const done = (await folder.storedIds()).length;
  expect(done).toBeLessThan(count);

  expect((await ingest("docs")).counts).toMatchObject({
    documents: count - done,
    unchanged: done,
    failed: 0,
  });
  expect((await folder.storedIds()).length).toBe(count);
});

test("Ctrl-C stops soon, and says that the next run goes on", async () => {
  const count = await writeManyDocuments();
  const stopped = start(["docs"]);
  await firstDocument();
  stopped.kill("SIGINT");
  const { code, errors, counts } = await result(stopped);
  expect(code).toBe(130);
  expect(errors).toContain("run the same command again");
  expect(counts.documents).toBe((await folder.storedIds()).length);
  expect(counts.documents).toBeLessThan(count);
});

test("files that cannot be read are named, and the others ingested", async () => {
  await folder.write({
    "docs/a.md": "a",
    "docs/latin1.txt": new Uint8Array([0x63, 0x61, 0x66, 0xe9]),
    "docs/big.txt": "",
  });
  await truncate(join(folder.path, "docs/big.txt"), 21 * 2 ** 20);
  const { code, errors, counts } = await ingest("docs", "nowhere");
  expect(code).toBe(1);
  expect(counts).toMatchObject({ documents: 1, failed: 3 });
  expect(errors.trim().split("\n")).toEqual([
    "nowhere: no such file or folder",
    "docs/big.txt: 21 MB; a document may have 20, so split it",
    "docs/latin1.txt: not UTF-8 text: convert it, for example with iconv",
  ]);
  expect(await folder.storedIds()).toEqual(["docs/a.md"]);
});

test("--help explains it", async () => {
  const { code, out } = await ingest("--help");
  expect(code).toBe(0);
  expect(out).toContain("Usage: bun run ingest PATH...");
});

test.each([
  ["no path", [], "which files or folders?"],
  ["an unknown option", ["docs", "--remove"], "--remove"],
] as const)("%s is a mistake that is explained", async (_, args, reason) => {
  const { code, out, errors } = await ingest(...args);
  expect(code).toBe(2);
  expect(out).toBe("");
  expect(errors).toContain(reason);
  expect(errors).toContain("Usage:");
});

test("a store that cannot be reached is one clear line", async () => {
  await folder.write({ "a.md": "a" });
  const { code, errors } = await result(start(["a.md"], { QDRANT_URL: "http://127.0.0.1:1" }));
  expect(code).toBe(1);
  expect(errors).toContain("http://127.0.0.1:1");
  expect(errors.trim().split("\n").length).toBe(1);
});

test("a setting that makes no sense is named", async () => {
  const { code, errors } = await result(start(["."], { ENCODER_THREADS: "many" }));
  expect(code).toBe(2);
  expect(errors).toStartWith('ENCODER_THREADS is "many"');
});
