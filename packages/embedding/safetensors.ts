/**
 * Reads the tensors of a `.safetensors` file: eight bytes with the header's length, the header as JSON,
 * then the raw values, little-endian (https://github.com/huggingface/safetensors#format).
 */
import { readFile } from "node:fs/promises";

export interface Tensor {
  readonly shape: readonly number[];
  /** Row-major, as in the file; half precision is widened. */
  readonly values: Float32Array;
}

interface Header {
  [name: string]: {
    readonly dtype: string;
    readonly shape: number[];
    /** First byte and the one past the last, counted from the end of the header. */
    readonly data_offsets: [number, number];
  };
}

export class Safetensors {
  private constructor(
    private readonly path: string,
    private readonly header: Header,
    private readonly data: Uint8Array,
  ) {}

  static async open(path: string): Promise<Safetensors> {
    const file = await readFile(path);
    const dataStart = 8 + Number(file.readBigUInt64LE(0));
    const header = JSON.parse(file.toString("utf8", 8, dataStart)) as Header;
    return new Safetensors(path, header, file.subarray(dataStart));
  }

  /** @throws Error if there is no tensor of that name, or it is of a type other than F16 and F32. */
  tensor(name: string): Tensor {
    const entry = this.header[name];
    if (!entry) throw new Error(`${this.path} has no tensor ${name}`);
    // A copy, since a typed array must start at a multiple of its element's size.
    const bytes = new Uint8Array(this.data.subarray(...entry.data_offsets)).buffer;
    switch (entry.dtype) {
      case "F16":
        return { shape: entry.shape, values: Float32Array.from(new Float16Array(bytes)) };
      case "F32":
        return { shape: entry.shape, values: new Float32Array(bytes) };
      default:
        throw new Error(`${this.path}: tensor ${name} is ${entry.dtype}; only F16 and F32 are read`);
    }
  }
}
