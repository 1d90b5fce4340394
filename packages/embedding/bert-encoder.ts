/**
 * BERT's encoder (https://arxiv.org/abs/1810.04805) as an ONNX graph, its matrices in float32 or int8.
 * The fused operators of onnxruntime were tried as well: no measurable gain.
 *
 *   input_ids, attention_mask, token_type_ids   int64    [batch, sequence]
 *   last_hidden_state                           float32  [batch, sequence, hidden_size]
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

  function addAndNormalize(name: string, x: string, residual: string, output?: string): string {
    return graph.node(
      "LayerNormalization",
      [graph.node("Add", [x, residual]), weight(`${name}.weight`), weight(`${name}.bias`)],
      { axis: int(-1), epsilon: float(config.layer_norm_eps) },
      output,
    );
  }

  function embeddings(): string {
    const vocabulary = "embeddings.word_embeddings.weight";
    const words =
      precision === "int8"
        ? int8Rows(graph, vocabulary, "input_ids", weights.tensor(vocabulary))
        : graph.node("Gather", [weight(vocabulary), "input_ids"]);
    const types = graph.node("Gather", [weight("embeddings.token_type_embeddings.weight"), "token_type_ids"]);
    const length = graph.node("Gather", [graph.node("Shape", ["input_ids"]), graph.indices(1)]);
    const positions = graph.node("Slice", [
      weight("embeddings.position_embeddings.weight"),
      graph.indices(0),
      length,
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
    const heads = (name: string, ...order: number[]) =>
      graph.node("Transpose", [graph.node("Reshape", [linear(`${layer}.self.${name}`, x), split])], {
        perm: ints(...order),
      });
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
    const joined = graph.node("Reshape", [context, graph.indices(0, 0, width)]);
    return addAndNormalize(`${layer}.output.LayerNorm`, linear(`${layer}.output.dense`, joined), x);
  }

  /** x (1 + erf(x / sqrt 2)) / 2 */
  function gelu(x: string): string {
    const erf = graph.node("Erf", [graph.node("Div", [x, graph.scalar(Math.SQRT2)])]);
    const doubled = graph.node("Mul", [x, graph.node("Add", [erf, graph.scalar(1)])]);
    return graph.node("Mul", [doubled, graph.scalar(0.5)]);
  }

  function feedForward(layer: string, x: string, output?: string): string {
    const wide = gelu(linear(`${layer}.intermediate.dense`, x));
    return addAndNormalize(`${layer}.output.LayerNorm`, linear(`${layer}.output.dense`, wide), x, output);
  }

  let hidden = embeddings();
  const bias = attentionBias();
  const last = config.num_hidden_layers - 1;
  for (let i = 0; i <= last; i++) {
    const layer = `encoder.layer.${i}`;
    const attended = attention(`${layer}.attention`, hidden, bias);
    hidden = feedForward(layer, attended, i === last ? OUTPUT : undefined);
  }
  return graph.encode(
    "bert-encoder",
    INPUTS.map((name) => ({ name, type: "int64", shape: ["batch", "sequence"] })),
    [{ name: hidden, type: "float32", shape: ["batch", "sequence", width] }],
  );
}
