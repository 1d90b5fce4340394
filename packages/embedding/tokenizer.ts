import { AutoTokenizer, type PreTrainedTokenizer } from "@xenova/transformers";
import { normalizeForBert } from "./bert-normalizer.ts";
import { loadFrom, type ModelSource } from "./model-source.ts";

/** Counts as the model does, without the model: for programs that never embed. */
export interface Tokenizer {
  /** Tokens of `text` without special tokens, not truncated. */
  count(text: string): number;
}

/** @throws ModelError if the model is not there. */
export async function loadTokenizer(options: ModelSource): Promise<Tokenizer> {
  return await ModelTokenizer.load(options);
}

/** The library's tokenizer with its mistakes corrected. */
export class ModelTokenizer implements Tokenizer {
  private constructor(private readonly library: PreTrainedTokenizer) {}

  static async load(source: ModelSource): Promise<ModelTokenizer> {
    const library = await loadFrom(source, (name, options) => AutoTokenizer.from_pretrained(name, options));
    correctNormalizer(library);
    return new ModelTokenizer(library);
  }

  /** Most tokens of one text that the model was meant for, special tokens included. */
  get window(): number {
    return this.library.model_max_length;
  }

  get padding(): number {
    return this.library.pad_token_id;
  }

  count(text: string): number {
    return this.library.encode(text, null, { add_special_tokens: false }).length;
  }

  /**
   * Token ids with special tokens, at most `window` of them. The last special token stays when the text
   * is cut: the library's own truncation drops it.
   */
  encode(text: string, window: number): number[] {
    const ids = this.library.encode(text);
    if (ids.length > window) ids.splice(window - 1, ids.length - window);
    return ids;
  }
}

function correctNormalizer(library: PreTrainedTokenizer): void {
  const config = library.normalizer?.config;
  if (config?.type !== "BertNormalizer" || !config.lowercase || config.strip_accents === false) return;
  Object.assign(library, { normalizer: normalizeForBert });
}
