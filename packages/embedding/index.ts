export { DEFAULT_MODEL } from "./default-model.ts";
export { ensureModel } from "./ensure-model.ts";
export { type EmbeddingModel, loadModel, type ModelOptions } from "./model.ts";
export { ModelError, type ModelSource } from "./model-source.ts";
export { loadTokenizer, type Tokenizer } from "./tokenizer.ts";
