/** The model root of this checkout, with the default model in it: built once, then kept. */
import { join } from "node:path";
import { ensureModel } from "#embedding";

export const directory = join(import.meta.dir, "../../../.models");
await ensureModel({ directory });
