/** Where a model comes from, and what to say when it does not. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { AutoModel } from "@xenova/transformers";
import { DEFAULT_MODEL, modelFolder } from "./default-model.ts";
import { MODEL_FILES, type Precision } from "./precision.ts";

export interface ModelSource {
  /** The model root. Models from the Hub are kept there too. */
  readonly directory: string;
  /** `owner/model`, as on the Hugging Face Hub; the default model unless given. */
  readonly name?: string;
  /** Default: fp32. */
  readonly precision?: Precision;
}

/** A model is not there, cannot be loaded, or does not fit; the message says what to do. */
export class ModelError extends Error {
  override name = "ModelError";
}

/** What the library's `from_pretrained` takes. */
interface LibraryOptions {
  readonly cache_dir: string;
  readonly local_files_only: boolean;
  readonly quantized: boolean;
}

/**
 * Loads a part of the model by `load`, given the model's name and the options for the library. Only the
 * default model, which set-up builds, never asks the Hub.
 * @throws ModelError if that fails; `cause` is the library's own error.
 */
export async function loadFrom<T>(
  source: ModelSource,
  load: (name: string, options: LibraryOptions) => Promise<T>,
): Promise<T> {
  const { directory, name = DEFAULT_MODEL, precision = "fp32" } = source;
  try {
    return await load(name, {
      cache_dir: directory,
      local_files_only: name === DEFAULT_MODEL,
      quantized: precision === "int8",
    });
  } catch (cause) {
    const advice =
      name === DEFAULT_MODEL
        ? `it is not whole in ${modelFolder(directory)}; run "npm run setup" to build it`
        : `it comes from the Hugging Face Hub, which takes a network; ${DEFAULT_MODEL} takes none`;
    throw new ModelError(`Cannot load the embedding model ${name}: ${advice}`, { cause });
  }
}

/**
 * The path of the model's ONNX file, which comes from the Hub first if need be.
 * @throws ModelError if that fails.
 */
export async function modelFile(source: ModelSource): Promise<string> {
  const { directory, name, precision = "fp32" } = source;
  const path = join(modelFolder(directory, name), MODEL_FILES[precision]);
  if (existsSync(path)) return path;
  // The library keeps what it fetches under that path; it loads it as well, which is not wanted here.
  const loaded = await loadFrom(source, (name, options) => AutoModel.from_pretrained(name, options));
  await loaded.dispose();
  return path;
}
