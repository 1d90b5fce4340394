/**
 * Matrices in int8 for an ONNX graph, each row with a scale of its own.
 *
 * The usual dynamic quantization takes one scale for all activations of a batch, so a text's vector depends on
 * its neighbours (cosine down to 0.956 against itself). Here each token has its own scale: a few percent slower, and
 * a text's vector is its own. `MatMulNBits` with 8 bits, which is independent too, took twice as long.
 */
import { transposed } from "./matrix.ts";
import { int, ints, type OnnxGraph, TO_FLOAT32 } from "./onnx-graph.ts";
import type { Tensor } from "./safetensors.ts";

const LARGEST = 127;

/** x W^T, of which W is held as [outputs, inputs]; x is float32 [tokens, inputs]. */
export function int8Linear(graph: OnnxGraph, name: string, x: string, { values, shape }: Tensor): string {
  const [outputs = 0, inputs = 0] = shape;
  const { codes, scales } = quantized(values, outputs, inputs);
  const matrix = graph.constant(`${name}.codes`, transposed(codes, outputs, inputs), [inputs, outputs]);
  const matrixScales = graph.constant(`${name}.scales`, scales, [outputs]);
  const zero = graph.constant("zero code", Uint8Array.of(128), []);

  const peaks = graph.node("ReduceMax", [graph.node("Abs", [x])], { axes: ints(1), keepdims: int(0) });
  // A token of zeroes alone must not be divided by zero.
  const scaled = graph.node("Mul", [peaks, graph.scalar(1 / LARGEST)]);
  const rowScales = graph.node("Add", [scaled, graph.scalar(1e-12)]);
  const zeroes = graph.node("Expand", [
    graph.constant("zero codes", Uint8Array.of(128), [1]),
    graph.node("Shape", [rowScales]),
  ]);
  const rowCodes = graph.node("QuantizeLinear", [x, rowScales, zeroes], { axis: int(0) });
  const product = graph.node("com.microsoft.MatMulIntegerToFloat", [
    rowCodes,
    matrix,
    graph.scalar(1),
    matrixScales,
    zero,
  ]);
  return graph.node("Mul", [product, graph.node("Unsqueeze", [rowScales, graph.indices(1)])]);
}

/** Rows of a table, [rows, columns], by their indices; float32. */
export function int8Rows(graph: OnnxGraph, name: string, indices: string, { values, shape }: Tensor): string {
  const [rows = 0, columns = 0] = shape;
  const { codes, scales } = quantized(values, rows, columns);
  const gathered = graph.node("Gather", [graph.constant(`${name}.codes`, codes, [rows, columns]), indices]);
  const gatheredScales = graph.node("Gather", [graph.constant(`${name}.scales`, scales, [rows, 1]), indices]);
  return graph.node("Mul", [graph.node("Cast", [gathered], { to: TO_FLOAT32 }), gatheredScales]);
}

/** Symmetric int8: a value is its code times its row's scale. */
function quantized(
  values: Float32Array,
  rows: number,
  columns: number,
): { codes: Int8Array; scales: Float32Array } {
  const codes = new Int8Array(values.length);
  const scales = new Float32Array(rows);
  for (let row = 0; row < rows; row++) {
    const from = row * columns;
    let peak = 0;
    for (let i = from; i < from + columns; i++) peak = Math.max(peak, Math.abs(values[i]!));
    const scale = peak / LARGEST || 1;
    scales[row] = scale;
    for (let i = from; i < from + columns; i++) codes[i] = Math.round(values[i]! / scale);
  }
  return { codes, scales };
}
