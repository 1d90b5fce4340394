/**
 * What a model's matrices are in: `fp32` as trained, or `int8`, which is faster, smaller and a little less exact.
 * Vectors of the two are not for one store.
 */
export type Precision = "fp32" | "int8";

/** The model's file below its folder, by the name under which `@xenova/transformers` looks for it. */
export const MODEL_FILES: Record<Precision, string> = {
  fp32: "onnx/model.onnx",
  int8: "onnx/model_quantized.onnx",
};
