/**
 * The scan's WebAssembly, compiled from `vector-scan.as` once, at set-up or where it is first needed, and kept
 * under the digest of its source: a change to it is a new file.
 */
import { mkdir, rename } from "node:fs/promises";
import { join } from "node:path";
import { StoreError } from "../../types.ts";

const SOURCE = join(import.meta.dir, "vector-scan.as");
const FOLDER = join(import.meta.dir, "../../../../.models");

let loading: Promise<WebAssembly.Module> | undefined;

/** @throws StoreError if it is not there and cannot be compiled. */
export function loadVectorScan(): Promise<WebAssembly.Module> {
  loading ??= buildVectorScan().then(
    ({ binary }) => new WebAssembly.Module(binary),
    (error) => {
      loading = undefined;
      throw new StoreError(`the vector scan cannot be compiled: ${error.message}`, { cause: error });
    },
  );
  return loading;
}

/** The module's bytes, and whether they had to be compiled: 2 s. */
export async function buildVectorScan(): Promise<{ binary: BufferSource; built: boolean }> {
  const source = await Bun.file(SOURCE).text();
  const digest = new Bun.CryptoHasher("sha256").update(source).digest("hex").slice(0, 16);
  const path = join(FOLDER, `vector-scan-${digest}.wasm`);
  const file = Bun.file(path);
  if (await file.exists()) return { binary: await file.bytes(), built: false };

  const binary = await compile(source);
  const unfinished = `${path}.${crypto.randomUUID()}`;
  try {
    await mkdir(FOLDER, { recursive: true });
    await Bun.write(unfinished, binary);
    await rename(unfinished, path);
  } catch {
    // The folder cannot be written, as in an image: what is compiled serves this process all the same.
  }
  return { binary, built: true };
}

async function compile(source: string): Promise<Uint8Array<ArrayBuffer>> {
  const { default: asc } = await import("assemblyscript/asc");
  const options = { optimizeLevel: 3, runtime: "stub", noAssert: true, enable: ["simd"] };
  const { error, stderr, binary } = await asc.compileString({ "vector-scan.ts": source }, options);
  if (error || !binary) throw new Error(stderr.toString() || error?.message);
  return new Uint8Array(binary);
}
