/** The model that Ragline embeds with unless told otherwise, and the files that make it up. */
import { join } from "node:path";

export const DEFAULT_MODEL = "Xenova/all-MiniLM-L6-v2";

/** Tokens of one text, special tokens included: what the model was trained with. */
export const DEFAULT_MODEL_WINDOW = 256;

/** The folder of a model below the model root: the layout that `@xenova/transformers` reads offline. */
export function modelFolder(directory: string, name: string = DEFAULT_MODEL): string {
  return join(directory, ...name.split("/"));
}
