/**
 * Writes an ONNX model: constants and nodes are added in order, each giving the name by which later
 * nodes take it as input, and `encode` gives the file's bytes.
 */
import { onnx } from "onnx-proto";

const { DataType } = onnx.TensorProto;
const { AttributeType } = onnx.AttributeProto;

/** IR 8 and opset 17: the oldest with LayerNormalization, so that old runtimes read it too. */
const IR_VERSION = 8;
const OPSETS = [
  { domain: "", version: 17 },
  { domain: "com.microsoft", version: 1 },
];

export type Attribute = Omit<onnx.IAttributeProto, "name">;
export const int = (i: number): Attribute => ({ type: AttributeType.INT, i });
export const ints = (...values: number[]): Attribute => ({ type: AttributeType.INTS, ints: values });
export const float = (f: number): Attribute => ({ type: AttributeType.FLOAT, f });

/** The `to` of a Cast node to float32. */
export const TO_FLOAT32 = int(DataType.FLOAT);

/** An input or output of the whole graph; a dimension with a name takes any size. */
export interface Port {
  readonly name: string;
  readonly type: "float32" | "int64";
  readonly shape: readonly (string | number)[];
}

type Values = Float32Array | Float16Array | BigInt64Array | Int8Array | Uint8Array;

export class OnnxGraph {
  private readonly nodes: onnx.INodeProto[] = [];
  private readonly constants = new Map<string, onnx.ITensorProto>();

  /** A constant, of the type of its array. Adding a name again gives the one that is there. */
  constant(name: string, values: Values, shape: readonly number[]): string {
    if (!this.constants.has(name)) {
      this.constants.set(name, {
        name,
        dataType: dataTypeOf(values),
        dims: [...shape],
        rawData: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
      });
    }
    return name;
  }

  /** A float32 without dimensions. */
  scalar(value: number): string {
    return this.constant(`scalar ${value}`, Float32Array.of(value), []);
  }

  /** An int64 without dimensions: an axis, or an index that takes its dimension away. */
  index(value: number): string {
    return this.constant(`index ${value}`, BigInt64Array.of(BigInt(value)), []);
  }

  /** A list of int64: a shape, axes, or indices. */
  indices(...values: number[]): string {
    return this.constant(`indices ${values}`, BigInt64Array.from(values, BigInt), [values.length]);
  }

  /**
   * One operation with one output, whose name it gives back.
   * @param opType a standard operator, or one of onnxruntime's own as `com.microsoft.Name`
   */
  node(
    opType: string,
    input: string[],
    attributes: Record<string, Attribute> = {},
    output = `${opType} ${this.nodes.length}`,
  ): string {
    const attribute = Object.entries(attributes).map(([name, value]) => ({ name, ...value }));
    const dot = opType.lastIndexOf(".");
    this.nodes.push({
      name: output,
      domain: opType.slice(0, Math.max(0, dot)),
      opType: opType.slice(dot + 1),
      input,
      output: [output],
      attribute,
    });
    return output;
  }

  encode(name: string, inputs: readonly Port[], outputs: readonly Port[]): Uint8Array {
    return onnx.ModelProto.encode({
      irVersion: IR_VERSION,
      opsetImport: OPSETS,
      producerName: "ragline",
      graph: {
        name,
        node: this.nodes,
        initializer: [...this.constants.values()],
        input: inputs.map(valueInfo),
        output: outputs.map(valueInfo),
      },
    }).finish();
  }
}

function dataTypeOf(values: Values): number {
  if (values instanceof Float32Array) return DataType.FLOAT;
  if (values instanceof Float16Array) return DataType.FLOAT16;
  if (values instanceof BigInt64Array) return DataType.INT64;
  return values instanceof Int8Array ? DataType.INT8 : DataType.UINT8;
}

function valueInfo({ name, type, shape }: Port): onnx.IValueInfoProto {
  const dim = shape.map((size) => (typeof size === "number" ? { dimValue: size } : { dimParam: size }));
  const elemType = type === "float32" ? DataType.FLOAT : DataType.INT64;
  return { name, type: { tensorType: { elemType, shape: { dim } } } };
}
