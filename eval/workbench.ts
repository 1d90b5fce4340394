/** The product's own model and store, set up for an evaluation: configured as the apps are, with a folder of its own. */
import { resolve } from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { type EmbeddingModel, ensureModel, loadModel } from "#embedding";
import { configOrExit, modelSettings, openConfiguredStore, storeSettings } from "#runtime";
import { Chunker } from "../apps/indexer/chunker.ts";
import type { IndexTools } from "../apps/indexer/index-document.ts";
import type { EvalCommand } from "./command-line.ts";

const settings = Type.Object({ ...storeSettings, ...modelSettings });

export interface Workbench extends IndexTools {
  readonly model: EmbeddingModel;
  readonly chunker: Chunker;
  /** Folder of what is kept between runs. */
  readonly data_dir: string;
  close(): Promise<void>;
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
  const { MODEL_DIR: directory, ENCODER_PRECISION: precision, ENCODER_THREADS } = config;
  const run = precision === "fp32" ? name : `${name}-${precision}`;
  const folder = resolve(data_dir ?? `.data/eval/${run}`);
  await ensureModel({ directory });
  const model = await loadModel({ directory, precision, threads: ENCODER_THREADS || undefined });
  const opened = openConfiguredStore(storeConfig(config, run, folder, store));
  const chunker = new Chunker({ model: { directory }, window: model.window });
  return {
    data_dir: folder,
    store: opened,
    model,
    chunker,
    close: async () => {
      chunker.close();
      await model.close();
      await opened.close();
    },
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
