import { availableParallelism } from "node:os";
import { AutoConfig } from "@xenova/transformers";
import { EMBEDDING_DIMENSIONS } from "#contracts";
import { type BatchLimits, batchesByLength } from "./batches.ts";
import { DEFAULT_MODEL } from "./default-model.ts";
import { loadFrom, ModelError, type ModelSource, modelFile } from "./model-source.ts";
import { RunCost } from "./run-cost.ts";
import { Sessions } from "./sessions.ts";
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
   * the other texts. An empty text has a vector, too. The model works on threads of its own.
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
  /**
   * Frees the model's memory and threads, when what is at work is done; what waits is never answered. A process that ends
   * by `process.exit` does it before: a thread that is ended inside the engine makes it end with a crash.
   */
  close(): Promise<void>;
}

/** One inference. */
export interface ModelRun {
  readonly texts: number;
  readonly tokens: number;
  /** Tokens that only fill the batch up to its longest text. */
  readonly padding: number;
  /** How long it took. */
  readonly ms: number;
}

export interface ModelOptions extends ModelSource {
  /** Threads that the model works on: one batch on all of them, or several side by side. Default: the machine's cores. */
  readonly threads?: number;
  /**
   * Most texts in a batch. More gains nothing past 8 short texts, and takes longer.
   * Default: 8; 1 turns batching off.
   */
  readonly batch?: number;
  /**
   * About how long one inference may take, in ms: batches are cut to it by what a token cost before; a
   * single text is never cut, nor are 64 tokens. Shorter lets others in sooner; below 50 short texts are no longer batched well.
   * Default: 100; Infinity turns it off.
   */
  readonly max_block_ms?: number;
  /** Told of each inference. */
  readonly observe?: (run: ModelRun) => void;
}

/** @throws ModelError if the model is not there, or its vectors have not the dimensions of the contracts. */
export async function loadModel(options: ModelOptions): Promise<EmbeddingModel> {
  const { name = DEFAULT_MODEL, precision, threads = availableParallelism() } = options;
  const config = (await loadFrom(options, (name, library) =>
    AutoConfig.from_pretrained(name, library),
  )) as LibraryConfig;
  if (config.hidden_size !== EMBEDDING_DIMENSIONS) {
    throw new ModelError(
      `The embedding model ${name} gives ${config.hidden_size} dimensions, and Ragline's vectors have ` +
        `${EMBEDDING_DIMENSIONS}: choose another, such as ${DEFAULT_MODEL}`,
    );
  }
  const [tokenizer, path] = await Promise.all([ModelTokenizer.load(options), modelFile(options)]);
  const order = { path, threads, padding: tokenizer.padding };
  const sessions = await loadFrom(options, () => Sessions.start(order));
  const window = Math.min(tokenizer.window, config.max_position_embeddings ?? Infinity);
  const called = precision === "int8" ? `${name}@int8` : name;
  return new MeanPooledModel(called, window, tokenizer, sessions, options);
}

/** What is read of a model's `config.json`. */
interface LibraryConfig {
  readonly hidden_size?: number;
  readonly max_position_embeddings?: number;
}

/**
 * A batch is never cut smaller: what it costs by itself would outweigh its texts, most of all where the machine is busy, and so
 * few texts are as quick together on all threads as shared out.
 */
const LEAST_BATCH_TOKENS = 64;
/** So that padding and texts that do not part evenly make no small batch at the end. */
const SHARE_SLACK = 1.15;

/** A text's vector is the mean of its tokens' vectors, at unit length. */
class MeanPooledModel implements EmbeddingModel {
  readonly dimensions = EMBEDDING_DIMENSIONS;
  private readonly cost = new RunCost();

  constructor(
    readonly name: string,
    readonly window: number,
    private readonly tokenizer: ModelTokenizer,
    private readonly sessions: Sessions,
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
    const vectors = new Array<Float32Array>(tokens.length);
    const lengths = tokens.map((ids) => ids.length);
    const batches = batchesByLength(lengths, this.limits(lengths));
    // No more batches in hand than are worked on at once: overlapping callers take turns.
    const workOff = async () => {
      for (const indices of batches) {
        const batchVectors = await this.run(indices.map((index) => tokens[index]!));
        indices.forEach((index, i) => {
          vectors[index] = batchVectors[i]!;
        });
      }
    };
    await Promise.all(Array.from({ length: this.sessions.side_by_side }, workOff));
    return vectors;
  }

  close(): Promise<void> {
    return this.sessions.close();
  }

  /** A batch may hold what can be done in time, and no more than its share of what is to be done. */
  private limits(lengths: readonly number[]): () => BatchLimits {
    const { batch: texts = 8, max_block_ms = 100 } = this.options;
    const { side_by_side } = this.sessions;
    const all = lengths.reduce((sum, length) => sum + length, 0);
    const share = side_by_side > 1 ? (all * SHARE_SLACK) / side_by_side : Infinity;
    return () => {
      const most = Math.min(this.cost.tokensWithin(max_block_ms), share);
      return { texts, tokens: Math.max(most, LEAST_BATCH_TOKENS) };
    };
  }

  private async run(tokens: readonly (readonly number[])[]): Promise<Float32Array[]> {
    const lengths = tokens.map((ids) => ids.length);
    const { vectors, ms } = await this.sessions.encode({ ids: Int32Array.from(tokens.flat()), lengths });
    const padded = Math.max(...lengths) * lengths.length;
    this.cost.learn(padded, ms);
    const real = lengths.reduce((sum, length) => sum + length, 0);
    this.options.observe?.({ texts: tokens.length, tokens: real, padding: padded - real, ms });
    // Copies, since whoever keeps one vector would otherwise keep all of its batch.
    return tokens.map((_, i) => vectors.slice(i * this.dimensions, (i + 1) * this.dimensions));
  }
}
