/** The command as a process, in a folder of its own. */
import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, symlink, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore } from "#vector-store";
import { directory } from "../../packages/embedding/model-root.ts";

setDefaultTimeout(30_000);

const PROGRAM = join(import.meta.dir, "../../../apps/indexer/ingest.ts");

let folder: string;
beforeEach(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "ragline-ingest-")));
});
afterEach(() => rm(folder, { recursive: true }));

function start(args: readonly string[], env: Record<string, string> = {}, cwd = folder) {
  return Bun.spawn([process.execPath, PROGRAM, ...args], {
    cwd,
    env: { ...process.env, DATA_DIR: join(folder, ".data"), MODEL_DIR: directory, QDRANT_URL: "", ...env },
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

async function write(files: Record<string, string | Uint8Array>): Promise<void> {
  for (const [path, content] of Object.entries(files)) {
    await mkdir(dirname(join(folder, path)), { recursive: true });
    await writeFile(join(folder, path), content);
  }
}

async function stored() {
  const store = openSqliteStore({ path: join(folder, ".data/ragline.sqlite"), readonly: true });
  const documents = await store.documents(DEFAULT_TENANT);
  await store.close();
  return documents;
}
const storedIds = async () => (await stored()).map((document) => document.id);

/** Documents enough for a run to be stopped midway: some tenths of a second each. */
async function writeManyDocuments(): Promise<number> {
  const text = "A sentence that takes the model some time, since there are many like it. ".repeat(40);
  const count = 6;
  for (let at = 0; at < count; at++) await write({ [`docs/${at}.txt`]: `Document ${at}. ${text}` });
  return count;
}

/** Resolves once the store shows a document. */
async function firstDocument(): Promise<void> {
  for (;;) {
    const documents = await stored().catch(() => []); // there is no store yet
    if (documents.length > 0) return;
    await Bun.sleep(5);
  }
}

test("files and folders of all formats are ingested, and a second time nothing changes", async () => {
  await write({
    "docs/a.md": "# Apples\n\nRed.",
    "docs/deep/b.HTML": "<title>Bananas</title><p>Yellow.",
    "docs/deep/c.txt": "\ufeffCherries.",
    "docs/data.json": "{}",
    "docs/.hidden/d.md": "x",
    "docs/node_modules/e.md": "x",
    "single.markdown": "# Single\n\nx",
  });
  await symlink(join(folder, "docs"), join(folder, "docs/loop"));

  const first = await ingest("docs", "single.markdown");
  expect(first.counts).toEqual({ documents: 4, chunks: 4, unchanged: 0, removed: 0, failed: 0 });
  expect(first.errors).toBe("files of other kinds skipped: 1\n");
  expect(first.code).toBe(0);
  expect((await stored()).map(({ id, source, title }) => [id, source, title])).toEqual([
    ["docs/a.md", "docs/a.md", "Apples"],
    ["docs/deep/b.HTML", "docs/deep/b.HTML", "Bananas"],
    ["docs/deep/c.txt", "docs/deep/c.txt", "c"],
    ["single.markdown", "single.markdown", "Single"],
  ]);

  const second = await ingest("single.markdown", "docs");
  expect(second.counts).toEqual({ documents: 0, chunks: 0, unchanged: 4, removed: 0, failed: 0 });
});

test("a document has one id, however its path is written", async () => {
  await write({ "docs/a.md": "x", "other/b.md": "y" });
  await symlink(join(folder, "docs"), join(folder, "link"));
  await ingest("docs");
  const again = await ingest("./docs/", "docs/../docs/a.md", join(folder, "docs"), "link", ".");
  expect(again.counts).toMatchObject({ documents: 1, unchanged: 1 });
  expect(await storedIds()).toEqual(["docs/a.md", "other/b.md"]);
  await result(start(["../other"], {}, join(folder, "docs")));
  expect(await storedIds()).toEqual([join(folder, "other/b.md"), "docs/a.md", "other/b.md"]);
});

test("a changed file replaces what was there of it", async () => {
  await write({ "docs/a.md": "# Old\n\nx", "docs/b.md": "# Same\n\nx" });
  await ingest("docs");
  await write({ "docs/a.md": "# New\n\nx" });
  expect((await ingest("docs")).counts).toMatchObject({ documents: 1, unchanged: 1 });
  expect((await stored()).map((document) => document.title)).toEqual(["New", "Same"]);
});

test("documents whose files are gone are removed with --delete alone, and only below the given paths", async () => {
  await write({ "docs/a.md": "a", "docs/b.md": "b", "docs/sub/c.md": "c", "docs2/d.md": "d", "e.md": "e" });
  await ingest(".");
  for (const path of ["docs/a.md", "docs/sub", "docs2", "e.md"])
    await rm(join(folder, path), { recursive: true });

  expect((await ingest("docs")).counts).toMatchObject({ removed: 0 });
  expect((await ingest("docs", "--delete")).counts).toMatchObject({ unchanged: 1, removed: 2 });
  expect(await storedIds()).toEqual(["docs/b.md", "docs2/d.md", "e.md"]);

  const paths = await ingest("--delete", "e.md", "docs2");
  expect(paths.counts).toMatchObject({ removed: 2, failed: 0 });
  expect(paths.code).toBe(0);
  expect(await storedIds()).toEqual(["docs/b.md"]);
});

test("--delete leaves documents that did not come from files", async () => {
  const path = join(folder, ".data/ragline.sqlite");
  await mkdir(dirname(path));
  const store = openSqliteStore({ path });
  await store.upsert(
    {
      tenant: DEFAULT_TENANT,
      id: "manual.md",
      title: "Manual",
      source: "https://example.org/",
      digest: "",
      metadata: {},
    },
    [],
  );
  await store.upsert(
    { tenant: DEFAULT_TENANT, id: "note-1", title: "Note", source: "note-1", digest: "", metadata: {} },
    [],
  );
  await store.close();
  expect((await ingest(".", "--delete")).counts).toMatchObject({ removed: 0 });
  expect(await storedIds()).toEqual(["manual.md", "note-1"]);
});

test("a run that is killed is taken up by the next", async () => {
  const count = await writeManyDocuments();
  const killed = start(["docs"]);
  await firstDocument();
  killed.kill("SIGKILL");
  await killed.exited;
  const done = (await storedIds()).length;
  expect(done).toBeLessThan(count);

  expect((await ingest("docs")).counts).toMatchObject({
    documents: count - done,
    unchanged: done,
    failed: 0,
  });
  expect((await storedIds()).length).toBe(count);
});

test("Ctrl-C stops soon, and says that the next run goes on", async () => {
  const count = await writeManyDocuments();
  const stopped = start(["docs"]);
  await firstDocument();
  stopped.kill("SIGINT");
  const { code, errors, counts } = await result(stopped);
  expect(code).toBe(130);
  expect(errors).toContain("run the same command again");
  expect(counts.documents).toBe((await storedIds()).length);
  expect(counts.documents).toBeLessThan(count);
});

test("files that cannot be read are named, and the others ingested", async () => {
  await write({
    "docs/a.md": "a",
    "docs/latin1.txt": new Uint8Array([0x63, 0x61, 0x66, 0xe9]),
    "docs/big.txt": "",
  });
  await truncate(join(folder, "docs/big.txt"), 21 * 2 ** 20);
  const { code, errors, counts } = await ingest("docs", "nowhere");
  expect(code).toBe(1);
  expect(counts).toMatchObject({ documents: 1, failed: 3 });
  expect(errors.trim().split("\n")).toEqual([
    "nowhere: no such file or folder",
    "docs/big.txt: 21 MB; a document may have 20, so split it",
    "docs/latin1.txt: not UTF-8 text: convert it, for example with iconv",
  ]);
  expect(await storedIds()).toEqual(["docs/a.md"]);
});

test("a document that cannot be read now stays as it was", async () => {
  await write({ "docs/a.md": "a" });
  await ingest("docs");
  await write({ "docs/a.md": new Uint8Array([0xff]) });
  expect((await ingest("docs", "--delete")).counts).toMatchObject({ removed: 0, failed: 1 });
  expect(await storedIds()).toEqual(["docs/a.md"]);
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
  await write({ "a.md": "a" });
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
