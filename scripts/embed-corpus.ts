/** Embeds the shipped corpus once, at set-up, so that a first start need not. */
import { rmSync } from "node:fs";
import { join, resolve } from "node:path";
import type { Precision } from "#embedding";
import { embeddedCorpus, INGEST_CORPUS } from "../apps/dev/corpus.ts";

const ROOT = resolve(import.meta.dir, "..");
/** All that decides on what the embedded corpus holds. */
const DECIDES = ["corpus", "apps/indexer", "packages/embedding", "packages/vector-store"].flatMap(
  (folder) => [`${folder}/**/*.md`, `${folder}/**/*.ts`],
);

/** Returns whether there was anything to do. */
export async function ensureEmbeddedCorpus(model_dir: string, precision: Precision): Promise<boolean> {
  const directory = embeddedCorpus(model_dir, precision);
  const stamp = Bun.file(join(directory, "made-from"));
  const digest = await digestOf(DECIDES.flatMap((glob) => [...new Bun.Glob(glob).scanSync(ROOT)]).sort());
  if ((await stamp.exists()) && (await stamp.text()) === digest) return false;
  rmSync(directory, { recursive: true, force: true });
  const env = {
    ...process.env,
    DATA_DIR: directory,
    MODEL_DIR: model_dir,
    ENCODER_PRECISION: precision,
    QDRANT_URL: "",
  };
  const ingest = Bun.spawn(INGEST_CORPUS, {
    cwd: ROOT,
    env,
    stdin: "ignore",
    stdout: "ignore",
    stderr: "inherit",
  });
  if ((await ingest.exited) !== 0) throw new Error("the corpus could not be embedded");
  await Bun.write(stamp, digest);
  return true;
}

async function digestOf(paths: string[]): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for (const path of paths) hasher.update(path).update(await Bun.file(join(ROOT, path)).bytes());
  return hasher.digest("hex");
}
