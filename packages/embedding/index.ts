export { DEFAULT_MODEL } from "./default-model.ts";
export { ensureModel } from "./ensure-model.ts";
export { type EmbeddingModel, loadModel, type ModelOptions, type ModelRun } from "./model.ts";
export { ModelError, type ModelSource } from "./model-source.ts";
export type { Precision } from "./precision.ts";
export { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
