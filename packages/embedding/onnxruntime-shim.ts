/**
 * Lets `@xenova/transformers` 2.17.2, which was written for onnxruntime-node 1.14, run on 1.30: the old
 * one ignores its thread options and aborts in worker threads. Importing this file is what does it.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { Tensor } from "@xenova/transformers";
import { env, InferenceSession } from "onnxruntime-node";

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

/** The library has no way to pass session options on, so they reach `create` around it. */
const sessionOptions = new AsyncLocalStorage<InferenceSession.SessionOptions>();
const create = InferenceSession.create as (model: Uint8Array, options: object) => Promise<InferenceSession>;
Object.assign(InferenceSession, {
  create: (model: Uint8Array, options: object) => create(model, { ...options, ...sessionOptions.getStore() }),
});

/** Runs `load`; a model that the library loads in it gets a session with these options. */
export function withSessionOptions<T>(
  options: InferenceSession.SessionOptions,
  load: () => Promise<T>,
): Promise<T> {
  return sessionOptions.run(options, load);
}
