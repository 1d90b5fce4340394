/** Files and folders into a store, once and again. */
import { afterAll, afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdir, rm, symlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { loadModel } from "#embedding";
import { openSqliteStore } from "#vector-store";
import { Chunker } from "../../../apps/indexer/chunker.ts";
import { type Ingested, ingestFiles } from "../../../apps/indexer/ingest-files.ts";
import { directory } from "../../packages/embedding/model-root.ts";
import { line, pdf } from "../../support/pdf.ts";
import { ingestFolder } from "./ingest-folder.ts";

setDefaultTimeout(60_000);

const model = await loadModel({ directory });
const chunker = new Chunker({ model: { directory }, window: model.window });
afterAll(async () => {
  chunker.close();
  await model.close();
});

const folder = ingestFolder();
const before = process.cwd();
beforeEach(() => process.chdir(folder.path));
afterEach(() => process.chdir(before));

/** As `bun run ingest` does: what became of the paths, and the lines that it says. */
async function ingest(...args: string[]): Promise<{ counts: Ingested; said: string[] }> {
  const said: string[] = [];
  const paths = args.filter((arg) => arg !== "--delete");
  await mkdir(dirname(folder.store), { recursive: true });
  const store = openSqliteStore({ path: folder.store });
  try {
    const counts = await ingestFiles(
      { store, model, chunker },
      { paths, remove_gone: paths.length < args.length },
      () => ({ advance: () => {}, note: (line) => said.push(line), end: () => {} }),
      new AbortController().signal,
    );
    return { counts, said };
  } finally {
    await store.close();
  }
}

test("a document has one id, however its path is written", async () => {
  await folder.write({ "docs/a.md": "x", "other/b.md": "y" });
  await symlink(join(folder.path, "docs"), join(folder.path, "link"));
  await ingest("docs");
  const again = await ingest("./docs/", "docs/../docs/a.md", join(folder.path, "docs"), "link", ".");
  expect(again.counts).toMatchObject({ documents: 1, unchanged: 1 });
  expect(await folder.storedIds()).toEqual(["docs/a.md", "other/b.md"]);
  process.chdir("docs");
  await ingest("../other");
  expect(await folder.storedIds()).toEqual([join(folder.path, "other/b.md"), "docs/a.md", "other/b.md"]);
});

test("a changed file replaces what was there of it", async () => {
  await folder.write({ "docs/a.md": "# Old\n\nx", "docs/b.md": "# Same\n\nx" });
  await ingest("docs");
  await folder.write({ "docs/a.md": "# New\n\nx" });
  expect((await ingest("docs")).counts).toMatchObject({ documents: 1, unchanged: 1 });
  expect((await folder.stored()).map((document) => document.title)).toEqual(["New", "Same"]);
});

test("documents whose files are gone are removed with --delete alone, and only below the given paths", async () => {
  await folder.write({
    "docs/a.md": "a",
    "docs/b.md": "b",
    "docs/sub/c.md": "c",
    "docs2/d.md": "d",
    "e.md": "e",
  });
  await ingest(".");
  for (const path of ["docs/a.md", "docs/sub", "docs2", "e.md"])
    await rm(join(folder.path, path), { recursive: true });

  expect((await ingest("docs")).counts).toMatchObject({ removed: 0 });
  expect((await ingest("docs", "--delete")).counts).toMatchObject({ unchanged: 1, removed: 2 });
  expect(await folder.storedIds()).toEqual(["docs/b.md", "docs2/d.md", "e.md"]);

  const paths = await ingest("--delete", "e.md", "docs2");
  expect(paths.counts).toMatchObject({ removed: 2, failed: 0 });
  expect(await folder.storedIds()).toEqual(["docs/b.md"]);
});

test("--delete leaves documents that did not come from files", async () => {
  await mkdir(dirname(folder.store));
  const store = openSqliteStore({ path: folder.store });
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
  expect(await folder.storedIds()).toEqual(["manual.md", "note-1"]);
});

test("a document that cannot be read now stays as it was", async () => {
  await folder.write({ "docs/a.md": "a" });
  await ingest("docs");
  await folder.write({ "docs/a.md": new Uint8Array([0xff]) });
  expect((await ingest("docs", "--delete")).counts).toMatchObject({ removed: 0, failed: 1 });
  expect(await folder.storedIds()).toEqual(["docs/a.md"]);
});

test("a PDF is ingested under its own title, and a broken one is named", async () => {
  const bytes = pdf({ title: "Of queues", pages: [line("A queue has a depth.")] });
  await folder.write({ "docs/a.pdf": bytes, "docs/b.pdf": bytes.subarray(0, 200) });
  const { counts, said } = await ingest("docs");
  expect(counts).toMatchObject({ documents: 1, chunks: 1, failed: 1 });
  expect(said).toEqual([expect.stringMatching(/^docs\/b\.pdf: the file is damaged, or no PDF/)]);
  expect((await folder.stored()).map(({ id, title }) => [id, title])).toEqual([["docs/a.pdf", "Of queues"]]);
  expect((await ingest("docs/a.pdf")).counts).toMatchObject({ unchanged: 1 });
});
