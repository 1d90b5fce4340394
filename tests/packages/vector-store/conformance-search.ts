/** What every vector store promises of a search: by words and by meaning, within a tenant and a filter. */
import { describe, expect, test } from "bun:test";
import { DEFAULT_TENANT, MAX_QUERY_CHARS } from "#contracts";
import type { Metadata, SearchFilter, SearchRequest, VectorStore } from "#vector-store";
import { atCosine, chunkOf, documentOf, unitVector } from "./passages.ts";

interface Given {
  text?: string;
  title?: string;
  vector?: Float32Array;
  tenant?: string;
  metadata?: Metadata;
}

export function searchConformance(opened: () => VectorStore) {
  async function put(id: string, { text, title = "Notes", vector, tenant, metadata = {} }: Given = {}) {
    const document = { ...documentOf(id), title, metadata, ...(tenant && { tenant }) };
    await opened().upsert(document, [chunkOf(document, 0, vector ?? unitVector(Bun.hash.crc32(id)), text)]);
  }
  const search = (text: string, request: Partial<SearchRequest> = {}) =>
    opened().search({ tenant: DEFAULT_TENANT, vector: atCosine(1), top_k: 50, ...request, text });
  /** The documents found, best first. */
  const found = async (text: string, request: Partial<SearchRequest> = {}) =>
    (await search(text, request)).map(({ document_id }) => document_id);

  describe("by words and by meaning", () => {
    test("a search finds by its words what is far in meaning, and by its meaning what has other words", async () => {
      await put("meaning", { text: "a sweet spread of citrus fruit", vector: atCosine(0.9) });
      await put("words", { text: "marmalade", vector: atCosine(0) });
      for (let i = 0; i < 20; i++)
        await put(`other ${i}`, { text: "gravel", vector: atCosine(0.1 - i / 100) });
      expect((await found("marmalade", { top_k: 2 })).sort()).toEqual(["meaning", "words"]);
    });

    test("what both sides find comes before what one of them finds", async () => {
      await put("meaning", { text: "other words", vector: atCosine(0.9) });
      await put("both", { text: "marmalade", vector: atCosine(0.85) });
      await put("words", { text: "marmalade", vector: atCosine(-0.5) });
      expect((await found("marmalade"))[0]).toBe("both");
    });

    test("the mode chooses a side", async () => {
      await put("near", { text: "gravel", vector: atCosine(0.9) });
      await put("far", { text: "marmalade", vector: atCosine(0.1) });
      expect(await found("marmalade", { mode: "dense" })).toEqual(["near", "far"]);
      expect(await found("marmalade", { mode: "text" })).toEqual(["far"]);
      expect((await found("marmalade", { mode: "hybrid" })).sort()).toEqual(["far", "near"]);
      expect(await found("zyzzyva", { mode: "text" })).toEqual([]);
      expect(await found("zyzzyva")).toEqual(["near", "far"]);
    });

    test("each hit has its cosine, whichever side found it", async () => {
      await put("near", { text: "gravel", vector: atCosine(0.75) });
      await put("far", { text: "marmalade", vector: atCosine(-0.25) });
      for (const mode of ["hybrid", "dense", "text"] as const) {
        const hits = await search("marmalade", { mode });
        expect(hits.length).toBe(mode === "text" ? 1 : 2);
        for (const { document_id, cosine, score } of hits) {
          expect(cosine).toBeCloseTo(document_id === "near" ? 0.75 : -0.25, 5);
          if (mode === "dense") expect(score).toBeCloseTo(cosine, 5);
        }
      }
    });

    test("rarer words, more of them, and in the title count more", async () => {
      await put("both", { text: "queues ran over bridges" });
      await put("one", { text: "bridges stood there for years" });
      await put("title", { title: "Backpressure", text: "notes" });
      await put("text", { title: "Notes", text: "backpressure" });
      expect(await found("How do queues run over a bridge?", { mode: "text" })).toEqual(["both", "one"]);
      expect(await found("backpressure", { mode: "text" })).toEqual(["title", "text"]);
    });

    test("a heading's words are found", async () => {
      await put("a", { text: "Nothing of the kind." });
      expect(await found("Which section?", { mode: "text" })).toEqual(["a"]);
    });

    test("what was replaced or deleted is not found by its words any more", async () => {
      await put("a", { text: "marmalade" });
      await put("a", { text: "jam" });
      expect(await found("marmalade", { mode: "text" })).toEqual([]);
      expect(await found("jam", { mode: "text" })).toEqual(["a"]);
      await opened().delete(DEFAULT_TENANT, "a");
      expect(await found("jam")).toEqual([]);
    });

    test.each(["hybrid", "dense", "text"] as const)(
      "equal scores come in order of id, and the first of them: %s",
      async (mode) => {
        const ids = Array.from({ length: 30 }, (_, i) => `d${i}`);
        for (const id of ids.toReversed()) await put(id, { text: "marmalade", vector: atCosine(0.5) });
        const first = ids.toSorted().slice(0, 5);
        for (let i = 0; i < 3; i++) expect(await found("marmalade", { mode, top_k: 5 })).toEqual(first);
      },
    );
  });

  describe("a metadata filter", () => {
    const documents: Record<string, Metadata> = {
      a: { lang: "en", year: 2024, share: 0.5, draft: false, 'v.1 "x"': "yes" },
      b: { lang: "de", year: 2023, share: -0.25, draft: true },
      c: { lang: "en", year: "2024" },
      d: {},
    };
    const cases: [string, SearchFilter, string][] = [
      ["a string", { metadata: { lang: "en" } }, "a c"],
      ["a whole number, and not the string of it", { metadata: { year: 2024 } }, "a"],
      ["a string, and not the number in it", { metadata: { year: "2024" } }, "c"],
      ["a fraction", { metadata: { share: 0.5 } }, "a"],
      ["a negative one", { metadata: { share: -0.25 } }, "b"],
      ["a boolean", { metadata: { draft: false } }, "a"],
      ["one of several", { metadata: { lang: ["fr", "de"] } }, "b"],
      ["one of several kinds", { metadata: { year: [2023, "2024"] } }, "b c"],
      ["one of none", { metadata: { lang: [] } }, ""],
      ["all of several names", { metadata: { lang: "en", year: 2024 } }, "a"],
      ["names that no document has together", { metadata: { lang: "de", year: 2024 } }, ""],
      ["a name with a dot and quotes", { metadata: { 'v.1 "x"': "yes" } }, "a"],
      ["a name that no document has", { metadata: { nobody: true } }, ""],
      ["no name", { metadata: {} }, "a b c d"],
      ["a document as well", { document_ids: ["b", "c"], metadata: { lang: "en" } }, "c"],
    ];
    test("keeps to the documents whose metadata has what it says", async () => {
      for (const [id, metadata] of Object.entries(documents)) await put(id, { text: "marmalade", metadata });
      for (const [what, filter, expected] of cases) {
        for (const mode of ["hybrid", "dense", "text"] as const) {
          const ids = (await found("marmalade", { mode, filter })).sort().join(" ");
          expect({ what, mode, ids }).toEqual({ what, mode, ids: expected });
        }
      }
    });

    test("and hits bring their metadata", async () => {
      await put("a", { text: "marmalade", metadata: documents.a });
      expect((await search("marmalade"))[0]!.metadata).toEqual(documents.a!);
      expect((await opened().get(DEFAULT_TENANT, "a"))!.metadata).toEqual(documents.a!);
    });

    test("follows a document's new metadata", async () => {
      await put("a", { text: "marmalade", metadata: { lang: "en" } });
      await put("a", { text: "marmalade", metadata: { lang: "de" } });
      expect(await found("marmalade", { filter: { metadata: { lang: "en" } } })).toEqual([]);
      expect(await found("marmalade", { filter: { metadata: { lang: "de" } } })).toEqual(["a"]);
    });
  });

  describe("tenants", () => {
    const [ours, theirs] = ["ours", "theirs"];
    const both = async () => {
      await put("shared", { tenant: ours, text: "marmalade of ours", vector: atCosine(0.1) });
      await put("shared", { tenant: theirs, text: "marmalade of theirs", vector: atCosine(0.9) });
      await put("secret", { tenant: theirs, text: "marmalade recipe", vector: atCosine(0.95) });
    };

    test("have documents of the same id, and find their own alone", async () => {
      await both();
      for (const mode of ["hybrid", "dense", "text"] as const) {
        const hits = await search("marmalade recipe of theirs", { mode, tenant: ours });
        expect(hits.map(({ text }) => text)).toEqual(["marmalade of ours"]);
        expect(await found("marmalade", { mode, tenant: "nobody" })).toEqual([]);
      }
      expect((await found("marmalade", { tenant: theirs })).sort()).toEqual(["secret", "shared"]);
      expect(await opened().info()).toMatchObject({ documents: 3, chunks: 3 });
    });

    test("do not reach another's through a filter", async () => {
      await both();
      const filter = { document_ids: ["secret"] };
      for (const mode of ["hybrid", "dense", "text"] as const) {
        expect(await found("marmalade recipe", { mode, tenant: ours, filter })).toEqual([]);
      }
    });

    test("are not crowded out by another's many", async () => {
      await put("a", { tenant: ours, text: "marmalade", vector: atCosine(-0.5) });
      const many = { ...documentOf("many"), tenant: theirs };
      await opened().upsert(
        many,
        Array.from({ length: 450 }, (_, i) =>
          chunkOf(many, i, atCosine(1 - i / 1_000), "marmalade marmalade"),
        ),
      );
      for (const mode of ["hybrid", "dense", "text"] as const) {
        expect(await found("marmalade", { mode, tenant: ours, top_k: 5 })).toEqual(["a"]);
      }
    });

    test("read, list, replace and delete their own alone", async () => {
      await both();
      const store = opened();
      expect((await store.get(ours, "shared"))!.tenant).toBe(ours);
      expect(await store.get(ours, "secret")).toBeUndefined();
      expect((await store.documents(theirs)).map(({ id }) => id)).toEqual(["secret", "shared"]);
      expect((await store.documents(ours)).map(({ id }) => id)).toEqual(["shared"]);
      expect((await store.passages(ours, "shared", 0, 5)).map(({ text }) => text)).toEqual([
        "marmalade of ours",
      ]);
      expect(await store.passages(ours, "secret", 0, 5)).toEqual([]);

      expect(await store.delete(ours, "secret")).toBe(false);
      await put("shared", { tenant: ours, text: "jam" });
      expect((await store.passages(theirs, "shared", 0, 5)).map(({ text }) => text)).toEqual([
        "marmalade of theirs",
      ]);
      expect(await store.delete(ours, "shared")).toBe(true);
      expect(await store.documents(ours)).toEqual([]);
      expect((await found("marmalade", { tenant: theirs })).sort()).toEqual(["secret", "shared"]);
    });
  });

  describe("any text", () => {
    test("is found by its words, whatever its script", async () => {
      const texts = {
        japanese: "ベクトル検索は意味で探します",
        chinese: "向量数据库",
        korean: "벡터 검색은 빠르다",
        thai: "ฐานข้อมูลเวกเตอร์",
        greek: "Ταχύτητα αναζήτησης",
        russian: "Скорость поиска",
        arabic: "سرعة البحث",
        emoji: "launch 🚀 day",
        name: "written in C++ for GPT-4, see foo_bar in node.js",
        hamlet: "to be or not to be",
      };
      for (const [id, text] of Object.entries(texts)) await put(id, { text });
      const questions = {
        検索: "japanese",
        数据库: "chinese",
        검색: "korean",
        ข้อมูล: "thai",
        "ταχύτητα;": "greek",
        "скорость?": "russian",
        البحث: "arabic",
        "🚀": "emoji",
        "C++": "name",
        gpt4: "name",
        nodejs: "name",
      };
      for (const [question, id] of Object.entries(questions)) {
        expect({ question, ids: await found(question, { mode: "text" }) }).toEqual({ question, ids: [id] });
      }
      expect((await found("to be or not to be", { mode: "text" }))[0]).toBe("hamlet");
    });

    test("may be asked: operators, quotes, nothing, and the longest question", async () => {
      await put("a", { text: 'foo AND OR NOT NEAR "quoted" col:umn ^start -minus (paren) star*' });
      const long = Array.from({ length: 2_000 }, (_, i) => `w${i}`)
        .join(" ")
        .slice(0, MAX_QUERY_CHARS - 4);
      for (const [question, hits] of [
        ['"foo" OR NEAR(', 1],
        ['NOT "quoted" AND (', 1],
        ["title:foo", 1],
        ["{title text}: foo*", 1],
        ["'; DROP TABLE chunks; --foo", 1],
        ["foo\u0000bar", 1],
        [`${long} foo`, 1],
        ["foo ".repeat(MAX_QUERY_CHARS / 4), 1],
        ["", 0],
        [" \n", 0],
        ['"', 0],
        ["*^-:()", 0],
        ["x".repeat(MAX_QUERY_CHARS), 0],
        ["\ud800", 0],
      ] as const) {
        const question_length = question.length;
        expect({ question_length, hits: await found(question, { mode: "text" }) }).toEqual({
          question_length,
          hits: hits ? ["a"] : [],
        });
        expect(await found(question)).toEqual(["a"]);
      }
    });

    test("may be stored: without a word, with all signs", async () => {
      await put("none", { title: "!", text: "--- ... ---" });
      expect(await found("anything")).toEqual(["none"]);
      expect((await opened().passages(DEFAULT_TENANT, "none", 0, 1))[0]!.text).toBe("--- ... ---");
    });
  });
}
