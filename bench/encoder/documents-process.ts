/** Embeds documents for ever, as the indexer does, at a niceness: `bun documents-process.ts 10`. */
import { setPriority } from "node:os";
import { loadModel } from "#embedding";
import { buildLoads } from "./loads.ts";

/** Before the model is loaded: its threads take the niceness of the one that starts them. */
setPriority(Number(process.argv[2]));
const model = await loadModel({ directory: ".models" });
const chunks = (await buildLoads(128))["128-token chunks"];
process.on("disconnect", () => process.exit(0));
process.send!("ready");
for (;;) await model.embed(chunks);
