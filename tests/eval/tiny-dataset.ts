/** A data set of a few documents in BEIR's layout, written into a folder of its own. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const DOCUMENTS = [
  {
    _id: "d1",
    title: "Honey bees",
    text: "Bees dance to tell each other where flowers are. They make honey.",
  },
  { _id: "d2", title: "Volcanoes", text: "Magma rises through the crust and erupts as lava." },
  { _id: "d3", title: "", text: "The cello is a string instrument that is played with a bow." },
  { _id: "d4", title: "Bread", text: "Yeast makes the dough of bread rise before it is baked." },
  { _id: "d5", title: "Tides", text: "" },
];

export const QUESTIONS = [
  { _id: "q1", text: "How do bees tell where flowers are?" },
  { _id: "q2", text: "What comes out of a volcano?" },
  { _id: "q3", text: "Which instrument has a bow?" },
  { _id: "q4", text: "Nobody has judged this one" },
];

export const QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td4\t0\nq2\td2\t1\nq3\td3\t1\nq9\td1\t1\n";

export const jsonLines = (values: readonly unknown[]) =>
  `${values.map((value) => JSON.stringify(value)).join("\n")}\n`;

export const WHOLE: Record<string, string | Uint8Array> = {
  "corpus.jsonl": jsonLines(DOCUMENTS),
  "queries.jsonl": jsonLines(QUESTIONS),
  "qrels.tsv": QRELS,
};

export interface TemporaryFolder extends AsyncDisposable {
  readonly path: string;
}

/** The files in a new folder, which goes when it is disposed of. */
export async function folderOf(files: Record<string, string | Uint8Array>): Promise<TemporaryFolder> {
  const path = mkdtempSync(join(tmpdir(), "ragline-eval-"));
  for (const [name, content] of Object.entries(files)) await Bun.write(join(path, name), content);
  return { path, [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true }) };
}
