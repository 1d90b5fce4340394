/** The product's own model and store, set up for an evaluation: configured as the apps are, with a folder of its own. */
import { resolve } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { type EmbeddingModel, ensureModel, loadModel } from "#embedding";
import { configOrExit, modelSettings, openConfiguredStore, storeSettings } from "#runtime";
import type { VectorStore } from "#vector-store";
import type { EvalCommand } from "./command-line.ts";

const settings = Type.Object({ ...storeSettings, ...modelSettings });

export interface Workbench {
  readonly model: EmbeddingModel;
  readonly store: VectorStore;
  /** Folder of what is kept between runs. */
  readonly data_dir: string;
}

/**
 * Opens what an evaluation called `name` works with: its own file or collection, so that it neither finds nor changes
 * a user's documents. Ends the process with exit code 2 if the settings make no sense.
 * @throws StoreError or ModelError if one of the two cannot be used.
 */
export async function openWorkbench(name: string, { store, data_dir }: EvalCommand): Promise<Workbench> {
  const config = configOrExit(settings);
  if (store === "qdrant" && !config.QDRANT_URL) {
    console.error("--store qdrant needs QDRANT_URL, the address of a Qdrant server");
    process.exit(2);
  }
  const folder = resolve(data_dir ?? `.data/eval/${name}`);
  await ensureModel({ directory: config.MODEL_DIR });
  return {
    data_dir: folder,
    store: openConfiguredStore(storeConfig(config, name, folder, store)),
    model: await loadModel({ directory: config.MODEL_DIR, threads: config.ENCODER_THREADS || undefined }),
  };
}

function storeConfig(
  config: Static<typeof settings>,
  name: string,
  folder: string,
  store: EvalCommand["store"],
): Static<typeof settings> {
  return {
    ...config,
    DATA_DIR: folder,
    QDRANT_URL: store === "sqlite" ? undefined : config.QDRANT_URL,
    QDRANT_COLLECTION: `${config.QDRANT_COLLECTION}-eval-${name}`,
  };
}
