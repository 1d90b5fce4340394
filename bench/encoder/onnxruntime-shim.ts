/**
 * Lets `@xenova/transformers` 2.17.2, which was written for onnxruntime-node 1.14, run on 1.30: the old
 * one ignores its thread options and aborts in worker threads. Importing this file is what does it.
 */
import { Tensor } from "@xenova/transformers";
import { env } from "onnxruntime-node";

env.logLevel = "error";

// The runtime looks for these two on a tensor; the library's has them under their old names.
Object.defineProperties(Tensor.prototype, {
  cpuData: property("data"),
  dataLocation: property("location"),
});

function property(name: string): PropertyDescriptor & ThisType<Record<string, unknown>> {
  return {
    get() {
      return this[name];
    },
    set(value) {
      this[name] = value;
    },
  };
}
