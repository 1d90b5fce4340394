/** Vectors as they are stored, and how near they are to a question. */
import { EMBEDDING_DIMENSIONS } from "#contracts";

/** Of two vectors of unit length. */
export function cosine(a: Float32Array, b: Float32Array): number {
  let even = 0;
  let odd = 0;
  for (let i = 0; i < EMBEDDING_DIMENSIONS; i += 2) {
    even += a[i]! * b[i]!;
    odd += a[i + 1]! * b[i + 1]!;
  }
  return even + odd;
}

/** A stored vector's bytes as its values, without copying them. */
export function toFloats({ buffer, byteOffset }: Uint8Array): Float32Array {
  return new Float32Array(buffer, byteOffset, EMBEDDING_DIMENSIONS);
}
