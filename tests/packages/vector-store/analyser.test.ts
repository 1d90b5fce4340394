import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { analyse, analyseQuestion } from "../../../packages/vector-store/analyser.ts";

setDefaultTimeout(60_000);

/** Words separated by spaces, to compare at a glance. */
const terms = (text: string) => analyse(text).join(" ");

describe("one word is found however it is written", () => {
  const same: [string, ...string[]][] = [
    ["café", "CAFÉ", "Cafe\u0301", "cafe", "ＣＡＦＥ"],
    ["Straße", "STRASSE", "strasse"],
    ["ΟΔΟΣ", "οδός", "οδοσ"],
    ["İstanbul", "istanbul", "ISTANBUL"],
    ["ガ", "ｶﾞ", "カ\u3099"],
    ["العربية", "العَرَبِيَّة"],
    ["softhyphen", "soft\u00adhyphen"],
    ["running", "runs", "run"],
    ["O'Reilly", "O’Reilly", "o reilly"],
    ["1000", "1,000"],
    ["Ragline", "Ragline™"],
    ["❤", "❤\ufe0f"],
  ];
  test.each(same)("%s", (word, ...others) => {
    for (const other of others) expect(analyse(other)).toEqual(analyse(word));
  });

  test("and words that differ stay apart", () => {
    expect(analyse("й")).not.toEqual(analyse("и"));
    expect(analyse("が")).not.toEqual(analyse("か"));
    expect(analyse("3.5")).not.toEqual(analyse("35"));
    expect(analyse("C++")).not.toEqual(analyse("C"));
    expect(analyse("C#")).not.toEqual(analyse("C++"));
  });
});

describe("what is a word", () => {
  test("English contractions and possessives lose their ending", () => {
    expect(terms("It's Alzheimer's; we've don't can't won't isn't")).toBe("it alzheim we do can will is");
    expect(terms("rock'n'roll l'homme the dogs' 'quoted'")).toBe("rock n roll l homm the dog quot");
  });

  test("a name of several parts is found by its parts and as a whole", () => {
    expect(terms("GPT-4")).toBe("gpt 4 gpt4");
    expect(terms("node.js foo_bar")).toBe("node js nodej foo bar foobar");
    expect(analyse("GPT-3.5").at(-1)).toBe(analyse("GPT3.5").at(-1)!);
    for (const [written, asked] of [
      ["GPT-4", "gpt4"],
      ["GPT 4", "GPT-4"],
      ["NodeJS", "node.js"],
      ["COVID-19", "covid 19"],
    ] as const) {
      expect(analyseQuestion(asked).some((term) => analyse(written).includes(term))).toBe(true);
    }
  });

  test("joined words and numbers that are no name stay parts alone", () => {
    expect(terms("state-of-the-art 2010-2015 1,2,3 a,b")).toBe("state of the art 2010 2015 1 2 3 a b");
  });

  test("scripts without spaces give pairs of characters, and a lone one itself", () => {
    expect(terms("日本語の検索")).toBe("日本 本語 語の の検 検索");
    expect(terms("한국어 水")).toBe("한국 국어 水");
    expect(terms("東京2020年")).toBe("東京 2020 年");
    expect(analyse("ภาษา").length).toBeGreaterThan(1);
    expect(terms("GPT-4とは")).toBe("gpt 4 とは gpt4");
  });

  test("other scripts keep their marks and are not stemmed", () => {
    expect(terms("हिन्दी עברית Москва")).toBe("हिन्दी עברית москва");
    expect(terms("gènes 2nds")).toBe("gene 2nds");
  });

  test("an emoji is a word, and so is each of a joined one", () => {
    expect(terms("🧭👩‍🚀 🇩🇪 👍🏽")).toBe("🧭 👩 🚀 🇩🇪 👍");
  });

  test("signs and spaces alone are none", () => {
    for (const text of ["", " \n\t", "--- ... !!!", '"(*:^', "\u0000", "\u200b\ufe0f"]) {
      expect(analyse(text)).toEqual([]);
      expect(analyseQuestion(text)).toEqual([]);
    }
  });

  test("a word longer than anybody types is cut", () => {
    expect(analyse("x".repeat(10_000))).toEqual(["x".repeat(64)]);
    expect(analyse(`${"a-1".repeat(5_000)}`).every((term) => term.length <= 64)).toBe(true);
  });
});

describe("a question", () => {
  test("goes without stop words", () => {
    expect(analyseQuestion("What is the capital of France, and how do I get there?")).toEqual(
      analyse("capital France"),
    );
  });

  test("of stop words alone keeps them, as every document does", () => {
    for (const text of ["to be or not to be", "who", "What is it?"]) {
      expect(analyseQuestion(text)).toEqual(analyse(text));
      expect(analyse(text).length).toBeGreaterThan(0);
    }
  });

  test("keeps repetitions", () => {
    expect(analyseQuestion("tea, tea and more tea")).toEqual(["tea", "tea", "tea"]);
  });
});

const WHOLE = /^[^\s\0-/:-@[-`{-\x7f]{1,64}$/;

test("whatever the text, a term is whole: no space, no ASCII sign, no half of a character, no more than 64", () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" })), (text) => {
      const odd = analyse(text).filter((term) => !WHOLE.test(term) || !term.isWellFormed());
      expect(odd).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
});

test("whatever the text, its terms are the same the second time, and a question's are among the document's", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (text) => {
      const first = analyse(text);
      expect(analyse(text)).toEqual(first);
      expect(first).toEqual(expect.arrayContaining(analyseQuestion(text)));
    }),
  );
});
