import { Database } from "bun:sqlite";
import { afterAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CANDIDATES, openSqliteStore, type VectorStore } from "#vector-store";
import { fts5Search } from "./fts5-search.ts";
import { atCosine, chunkOf, documentOf, unitVector } from "./passages.ts";

const folder = mkdtempSync(join(tmpdir(), "ragline-term-search-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const TENANTS = ["ours", "theirs"];
/** The first are in most texts, the last in few; some need folding, some stand for several terms. */
const WORDS = "the of queue node.js GPT-4 Straße café 検索 backpressure replica lease cosine".split(" ");

/** The same numbers each time. */
function* numbers(): Generator<number, never> {
  for (let state = 7; ; ) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    yield state / 2 ** 32;
  }
}

class Corpus {
  readonly path: string;
  readonly store: VectorStore;
  /** Another connection, as another process has. */
  readonly reader: VectorStore;
  readonly db: Database;
  readonly #random = numbers();

  constructor(name: string) {
    this.path = join(folder, `${name}.sqlite`);
    this.store = openSqliteStore({ path: this.path });
    this.reader = openSqliteStore({ path: this.path, readonly: true });
    this.db = new Database(this.path, { readonly: true });
  }

  words(count: number): string {
    const word = () => WORDS[Math.floor(this.#random.next().value ** 2 * WORDS.length)]!;
    return Array.from({ length: count }, word).join(" ");
  }

  async put(tenant: string, id: string, chunks: number, longest = 40): Promise<void> {
    const document = { ...documentOf(id), tenant, title: this.words(2) };
    const lengths = Array.from({ length: chunks }, () => 1 + Math.floor(this.#random.next().value * longest));
    const passages = lengths.map((length, i) => chunkOf(document, i, unitVector(i), this.words(length)));
    await this.store.upsert(document, passages);
  }

  /** Both stores find what FTS5 finds, with its scores to the bit. */
  async expectSame(question: string, filter?: { document_ids: string[] }): Promise<void> {
    for (const tenant of TENANTS) {
      const request = { tenant, mode: "text", vector: atCosine(1), text: question, filter } as const;
      const ids = filter && JSON.stringify(filter.document_ids);
      const rows = this.db
        .query<{ row: number; id: string }, [string]>(
          `SELECT row, chunks.id FROM chunks JOIN documents ON documents.key = document JOIN tenants ON tenants.key = tenant
            WHERE name = ? ${ids ? `AND documents.id IN (SELECT value FROM json_each('${ids}'))` : ""}`,
        )
        .all(tenant);
      const id_of = new Map(rows.map(({ row, id }) => [row, id]));
      const among = filter && [...id_of.keys()];
      const expected = fts5Search(this.db, question, tenant, CANDIDATES, among)
        .map(({ row, score }) => ({ id: id_of.get(row)!, score }))
        .sort((a, b) => b.score - a.score || (a.id < b.id ? -1 : 1));
      for (const store of [this.store, this.reader]) {
        const hits = await store.search({ ...request, top_k: CANDIDATES });
        expect(hits.map(({ id, score }) => ({ id, score }))).toEqual(expected);
      }
    }
  }

  async close(): Promise<void> {
    await this.store.close();
    await this.reader.close();
    this.db.close();
  }
}

const QUESTIONS = [
  "queue",
  "What of the replica's lease in node.js?",
  "cosine cosine of GPT-4 at the CAFE in the strasse",
  "検索 unheard",
  "the of",
  "unheard",
];

describe("the search by words", () => {
  test("finds what FTS5 finds, with its scores, while documents come, change and go", async () => {
    const corpus = new Corpus("changing");
    for (let step = 0; step < 60; step++) {
      const tenant = TENANTS[step % 2]!;
      const id = `d${(step * 7) % 11}`;
      if (step % 5 === 4) await corpus.store.delete(tenant, id);
      else await corpus.put(tenant, id, step % 6);
      await corpus.expectSame(QUESTIONS[step % QUESTIONS.length]!);
      if (step % 10 === 9) for (const question of QUESTIONS) await corpus.expectSame(question);
    }
    for (const question of QUESTIONS) await corpus.expectSame(question, { document_ids: ["d3", "d4"] });
    await corpus.close();
  });

  test("goes on so after more changes at once than it remembers", async () => {
    const corpus = new Corpus("many");
    await corpus.put("theirs", "small", 3);
    await corpus.put("ours", "small", 3);
    for (const question of QUESTIONS) await corpus.expectSame(question);
    for (const chunks of [600, 400, 1_100]) {
      await corpus.put("ours", "large", chunks);
      for (const question of QUESTIONS.slice(0, 3)) await corpus.expectSame(question);
    }
    await corpus.put("ours", "small", 1);
    for (const question of QUESTIONS) await corpus.expectSame(question);
    await corpus.close();
  });

  test("goes by its rarer words where a question has many common ones", async () => {
    const corpus = new Corpus("common");
    await corpus.put("ours", "large", 6_000, 8);
    for (const question of QUESTIONS.slice(0, 3)) await corpus.expectSame(question);
    await corpus.close();
  });
});
