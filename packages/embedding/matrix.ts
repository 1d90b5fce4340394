/** Rows to columns of a row-major matrix: a checkpoint holds [outputs, inputs], ONNX multiplies [inputs, outputs]. */
export function transposed<T extends Float32Array | Int8Array>(values: T, rows: number, columns: number): T {
  const result = new (values.constructor as new (length: number) => T)(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      result[column * rows + row] = values[row * columns + column]!;
    }
  }
  return result;
}
