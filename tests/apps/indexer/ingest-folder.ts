/** A folder to ingest from, with the store beside it; each test has its own. */
import { afterEach, beforeEach } from "bun:test";
import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { DEFAULT_TENANT } from "#contracts";
import { openSqliteStore } from "#vector-store";

export interface IngestFolder {
  readonly path: string;
  readonly store: string;
  write(files: Record<string, string | Uint8Array>): Promise<void>;
  /** Documents that the store has. */
  stored(): Promise<{ readonly id: string; readonly source: string; readonly title: string }[]>;
  storedIds(): Promise<string[]>;
}

export function ingestFolder(): IngestFolder {
  let path = "";
  beforeEach(async () => {
    path = await realpath(await mkdtemp(join(tmpdir(), "ragline-ingest-")));
  });
  afterEach(() => rm(path, { recursive: true }));
  return {
    get path() {
      return path;
    },
    get store() {
      return join(path, ".data/ragline.sqlite");
    },
    async write(files) {
      for (const [name, content] of Object.entries(files)) {
        await mkdir(dirname(join(path, name)), { recursive: true });
        await writeFile(join(path, name), content);
      }
    },
    async stored() {
      const store = openSqliteStore({ path: this.store, readonly: true });
      const documents = await store.documents(DEFAULT_TENANT);
      await store.close();
      return documents;
    },
    async storedIds() {
      return (await this.stored()).map(({ id }) => id);
    },
  };
}
