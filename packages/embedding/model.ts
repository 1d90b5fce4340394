import { availableParallelism } from "node:os";
import { AutoConfig, AutoModel, type PreTrainedModel, Tensor } from "@xenova/transformers";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { batchesByLength } from "./batches.ts";
import { DEFAULT_MODEL } from "./default-model.ts";
import { loadFrom, ModelError, type ModelSource } from "./model-source.ts";
import { withSessionOptions } from "./onnxruntime-shim.ts";
import { RunCost } from "./run-cost.ts";
import { ModelTokenizer } from "./tokenizer.ts";

export interface EmbeddingModel {
  /**
   * `owner/model`, as on the Hugging Face Hub, with `@int8` after it in that precision. Models of different names
   * give vectors that must not be compared.
   */
  readonly name: string;
  /** Values of a vector: 384. */
  readonly dimensions: number;
  /** Tokens of one text, special tokens included; what is past them is not seen. */
  readonly window: number;
  /**
   * One vector a text, in order: `Float32Array`, `dimensions` values, unit length. It does not depend on
   * the other texts. An empty text has a vector, too. Each batch blocks the event loop while it runs.
   */
  embed(texts: readonly string[]): Promise<Float32Array[]>;
  /**
   * A text as the model reads it: token ids with special tokens, cut to the window. Texts with equal tokens have
   * equal vectors.
   */
  tokenize(text: string): readonly number[];
  /** As `embed`, of texts that are tokenized already. */
  embedTokens(tokens: readonly (readonly number[])[]): Promise<Float32Array[]>;
  /** Tokens of a text without special tokens, not truncated. */
  countTokens(text: string): number;
}

/** One inference. */
export interface ModelRun {
  readonly texts: number;
  readonly tokens: number;
  /** Tokens that only fill the batch up to its longest text. */
  readonly padding: number;
  /** How long it held the event loop. */
  readonly ms: number;
}

export interface ModelOptions extends ModelSource {
  /** Threads that one batch is spread over. Default: the machine's cores. */
  readonly threads?: number;
  /**
   * Most texts in a batch. More gains nothing past 8 short texts, and holds the event loop longer.
   * Default: 8; 1 turns batching off.
   */
  readonly batch?: number;
  /**
   * About how long one inference may hold the event loop, in ms: batches are cut to it by what a token cost before; a
   * single text is never cut. Shorter lets others in sooner; below 50 short texts are no longer batched well.
   * Default: 100; Infinity turns it off.
   */
  readonly max_block_ms?: number;
  /** Told of each inference. */
  readonly observe?: (run: ModelRun) => void;
}

/** @throws ModelError if the model is not there, or its vectors have not the dimensions of the contracts. */
export async function loadModel(options: ModelOptions): Promise<EmbeddingModel> {
  const { name = DEFAULT_MODEL, precision, threads = availableParallelism() } = options;
  const session = {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    // Waiting threads sleep rather than spin. On two cores: half the time a batch while other processes
    // use them, and a third of the CPU for texts that come singly; alone on the cores, a single short
    // text takes 12 % longer and a batch 3 %.
    extra: { session: { intra_op: { allow_spinning: "0" } } },
    logSeverityLevel: 3 as const,
  };
  const config = (await loadFrom(options, (name, library) =>
    AutoConfig.from_pretrained(name, library),
  )) as LibraryConfig;
  if (config.hidden_size !== EMBEDDING_DIMENSIONS) {
    throw new ModelError(
      `The embedding model ${name} gives ${config.hidden_size} dimensions, and Ragline's vectors have ` +
        `${EMBEDDING_DIMENSIONS}: choose another, such as ${DEFAULT_MODEL}`,
    );
  }
  const [tokenizer, encoder] = await Promise.all([
    ModelTokenizer.load(options),
    loadFrom(options, (name, library) =>
      withSessionOptions(session, () => AutoModel.from_pretrained(name, library)),
    ),
  ]);
  const window = Math.min(tokenizer.window, config.max_position_embeddings ?? Infinity);
  const called = precision === "int8" ? `${name}@int8` : name;
  return new MeanPooledModel(called, window, tokenizer, encoder, options);
}

/** What is read of a model's `config.json`. */
interface LibraryConfig {
  readonly hidden_size?: number;
  readonly max_position_embeddings?: number;
}

/**
 * A text's vector is the mean of its tokens' vectors, at unit length. The model is called directly: the
 * library's `feature-extraction` pipeline gives the same, but tokenizes again what was tokenized for its
 * length, and pools value by value through a proxy.
 */
class MeanPooledModel implements EmbeddingModel {
  readonly dimensions = EMBEDDING_DIMENSIONS;
  private readonly cost = new RunCost();
  private last_ended = 0;

  constructor(
    readonly name: string,
    readonly window: number,
    private readonly tokenizer: ModelTokenizer,
    private readonly encoder: PreTrainedModel,
    private readonly options: Pick<ModelOptions, "batch" | "max_block_ms" | "observe">,
  ) {}

  countTokens(text: string): number {
    return this.tokenizer.count(text);
  }

  tokenize(text: string): number[] {
    return this.tokenizer.encode(text, this.window);
  }

  embed(texts: readonly string[]): Promise<Float32Array[]> {
    return this.embedTokens(texts.map((text) => this.tokenize(text)));
  }

  async embedTokens(tokens: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const { batch = 8, max_block_ms = 100 } = this.options;
    const vectors = new Array<Float32Array>(tokens.length);
    const lengths = tokens.map((ids) => ids.length);
    const limits = () => ({ texts: batch, tokens: this.cost.tokensWithin(max_block_ms) });
    for (const indices of batchesByLength(lengths, limits)) {
      const batchVectors = await this.run(indices.map((index) => tokens[index]!));
      indices.forEach((index, i) => {
        vectors[index] = batchVectors[i]!;
      });
    }
    return vectors;
  }

  private async run(tokens: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const width = Math.max(...tokens.map((ids) => ids.length));
    const shape = [tokens.length, width];
    const ids = new BigInt64Array(tokens.length * width).fill(BigInt(this.tokenizer.padding));
    const mask = new BigInt64Array(ids.length);
    tokens.forEach((row, i) => {
      ids.set(row.map(BigInt), i * width);
      mask.fill(1n, i * width, i * width + row.length);
    });
    const asked = performance.now();
    const { last_hidden_state } = await this.encoder({
      input_ids: new Tensor("int64", ids, shape),
      attention_mask: new Tensor("int64", mask, shape),
    });
    // An inference that overlaps with another one begins when that is done.
    const ended = performance.now();
    const ms = ended - Math.max(asked, this.last_ended);
    this.last_ended = ended;
    this.cost.learn(ids.length, ms);
    const texts = tokens.length;
    const real = tokens.reduce((sum, row) => sum + row.length, 0);
    this.options.observe?.({ texts, tokens: real, padding: ids.length - real, ms });
    const hidden: Float32Array = last_hidden_state.data;
    const rowSize = width * this.dimensions;
    return tokens.map((row, i) => this.pool(hidden.subarray(i * rowSize), row.length));
  }

  /** @param hidden tokens by dimensions, row-major; what follows the first `tokens` rows is padding */
  private pool(hidden: Float32Array, tokens: number): Float32Array {
    // The sum will do for the mean: unit length takes the difference away.
    const vector = new Float32Array(this.dimensions);
    for (let i = 0; i < tokens * this.dimensions; i++) vector[i % this.dimensions]! += hidden[i]!;
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / length);
  }
}
