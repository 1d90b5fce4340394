/**
 * BERT's encoder (https://arxiv.org/abs/1810.04805) as an ONNX graph, its matrices in float32 or int8.
 *
 *   input_ids, attention_mask, token_type_ids   int64    [batch, sequence]
 *   last_hidden_state                           float32  [batch, sequence, hidden_size]; of no meaning at padding
 *
 * Inside, the batch is one list of its tokens without the padding, [tokens, hidden_size]: padding costs nothing where
 * the work is, in the products with matrices. Attention alone lays the texts out side by side.
 * Fused operators were measured and are no faster: see "Decisions by measurement" in docs/performance.md.
 */

import { transposed } from "./matrix.ts";
import { float, int, ints, OnnxGraph, TO_FLOAT32 } from "./onnx-graph.ts";
import type { Precision } from "./precision.ts";
import { int8Linear, int8Rows } from "./row-int8.ts";
import type { Tensor } from "./safetensors.ts";

/** The part of a model's `config.json` that shapes the graph. */
export interface BertConfig {
  readonly hidden_size: number;
  readonly num_attention_heads: number;
  readonly num_hidden_layers: number;
  readonly layer_norm_eps: number;
}

/** Where the weights come from, by their names in a BERT checkpoint. */
export interface Weights {
  tensor(name: string): Tensor;
}

const INPUTS = ["input_ids", "attention_mask", "token_type_ids"];
const OUTPUT = "last_hidden_state";

/** The bytes of an ONNX file. */
export function bertEncoder(weights: Weights, config: BertConfig, precision: Precision): Uint8Array {
  const graph = new OnnxGraph();
  const width = config.hidden_size;
  const headWidth = width / config.num_attention_heads;

  function weight(name: string): string {
    const { values, shape } = weights.tensor(name);
    return graph.constant(name, values, shape);
  }

  /** Rows of a table in half precision, as it was published: half the memory for the same values. */
  function halfRows(name: string, indices: string): string {
    const { values, shape } = weights.tensor(name);
    const table = graph.constant(name, Float16Array.from(values), shape);
    return graph.node("Cast", [graph.node("Gather", [table, indices])], { to: TO_FLOAT32 });
  }

  /** x W^T + b: a checkpoint holds W as [outputs, inputs], MatMul takes [inputs, outputs]. */
  function linear(name: string, x: string): string {
    const tensor = weights.tensor(`${name}.weight`);
    const product = precision === "int8" ? int8Linear(graph, name, x, tensor) : floatLinear(name, x, tensor);
    return graph.node("Add", [product, weight(`${name}.bias`)]);
  }

  function floatLinear(name: string, x: string, { values, shape }: Tensor): string {
    const [outputs = 0, inputs = 0] = shape;
    const matrix = graph.constant(`${name}.weight`, transposed(values, outputs, inputs), [inputs, outputs]);
    return graph.node("MatMul", [x, matrix]);
  }

  function addAndNormalize(name: string, x: string, residual: string): string {
    return graph.node(
      "LayerNormalization",
      [graph.node("Add", [x, residual]), weight(`${name}.weight`), weight(`${name}.bias`)],
      { axis: int(-1), epsilon: float(config.layer_norm_eps) },
    );
  }

  /** Which of the batch's places, counted row by row, hold a token: [tokens]. */
  const flatMask = graph.node("Reshape", ["attention_mask", graph.indices(-1)]);
  const kept = graph.node("Reshape", [graph.node("NonZero", [flatMask]), graph.indices(-1)]);
  /** The other way round: which token is in a place, [batch, sequence]; at padding, any. */
  const batchShape = graph.node("Shape", ["attention_mask"]);
  const counted = graph.node("CumSum", [flatMask, graph.index(0)]);
  const places = graph.node("Reshape", [graph.node("Sub", [counted, graph.index(1)]), batchShape]);

  /** A row a place, or of an input a value a place, to those of the tokens. */
  function withoutPadding(x: string, ...row: number[]): string {
    return graph.node("Gather", [graph.node("Reshape", [x, graph.indices(-1, ...row)]), kept]);
  }

  function embeddings(): string {
    const vocabulary = "embeddings.word_embeddings.weight";
    const ids = withoutPadding("input_ids");
    const words =
      precision === "int8"
        ? int8Rows(graph, vocabulary, ids, weights.tensor(vocabulary))
        : halfRows(vocabulary, ids);
    const types = graph.node("Gather", [
      weight("embeddings.token_type_embeddings.weight"),
      withoutPadding("token_type_ids"),
    ]);
    const sequence = graph.node("Gather", [batchShape, graph.index(1)]);
    const positions = graph.node("Gather", [
      weight("embeddings.position_embeddings.weight"),
      graph.node("Mod", [kept, sequence]),
    ]);
    return addAndNormalize("embeddings.LayerNorm", graph.node("Add", [words, types]), positions);
  }

  /** What to add to attention scores: 0 for tokens, -10000 for padding, which softmax turns into 0. */
  function attentionBias(): string {
    const mask = graph.node("Unsqueeze", ["attention_mask", graph.indices(1, 2)]);
    const padding = graph.node("Sub", [graph.scalar(1), graph.node("Cast", [mask], { to: TO_FLOAT32 })]);
    return graph.node("Mul", [padding, graph.scalar(-10_000)]);
  }

  function attention(layer: string, x: string, bias: string): string {
    // A 0 in a shape keeps that dimension: [batch, sequence, width] to [batch, sequence, head, headWidth].
    const split = graph.indices(0, 0, config.num_attention_heads, headWidth);
    const heads = (name: string, ...order: number[]) => {
      const padded = graph.node("Gather", [linear(`${layer}.self.${name}`, x), places]);
      return graph.node("Transpose", [graph.node("Reshape", [padded, split])], { perm: ints(...order) });
    };
    const query = heads("query", 0, 2, 1, 3);
    const key = heads("key", 0, 2, 3, 1);
    const value = heads("value", 0, 2, 1, 3);
    const scores = graph.node("Div", [
      graph.node("MatMul", [query, key]),
      graph.scalar(Math.sqrt(headWidth)),
    ]);
    const shares = graph.node("Softmax", [graph.node("Add", [scores, bias])], { axis: int(-1) });
    const context = graph.node("Transpose", [graph.node("MatMul", [shares, value])], {
      perm: ints(0, 2, 1, 3),
    });
    const joined = withoutPadding(context, width);
    return addAndNormalize(`${layer}.output.LayerNorm`, linear(`${layer}.output.dense`, joined), x);
  }

  /** x (1 + erf(x / sqrt 2)) / 2 */
  function gelu(x: string): string {
    const erf = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
    const doubled = graph.node("Mul", [x, graph.node("Add", [erf, graph.scalar(1)])]);
    return graph.node("Mul", [doubled, graph.scalar(0.5)]);
  }

  function feedForward(layer: string, x: string): string {
    const wide = gelu(linear(`${layer}.intermediate.dense`, x));
    return addAndNormalize(`${layer}.output.LayerNorm`, linear(`${layer}.output.dense`, wide), x);
  }

  let hidden = embeddings();
  const bias = attentionBias();
  for (let i = 0; i < config.num_hidden_layers; i++) {
    const layer = `encoder.layer.${i}`;
    hidden = feedForward(layer, attention(`${layer}.attention`, hidden, bias));
  }
  graph.node("Gather", [hidden, places], {}, OUTPUT);
  return graph.encode(
    "bert-encoder",
    INPUTS.map((name) => ({ name, type: "int64", shape: ["batch", "sequence"] })),
    [{ name: OUTPUT, type: "float32", shape: ["batch", "sequence", width] }],
  );
}
