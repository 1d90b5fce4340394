/** The thread on which one session of the model runs: see `Session`. */
import { env, InferenceSession, Tensor } from "onnxruntime-node";
import type { Encoded, SessionAnswer, SessionOrder, Texts } from "./session.ts";

declare const self: Worker;

env.logLevel = "error";

interface Loaded {
  readonly session: InferenceSession;
  readonly padding: bigint;
}
let loaded: Loaded | undefined;

self.onmessage = async ({ data }: MessageEvent<SessionOrder | Texts>) => {
  try {
    if ("path" in data) {
      loaded = { session: await load(data), padding: BigInt(data.padding) };
      return answer({ ready: true });
    }
    const encoded = await encode(loaded!, data);
    answer(encoded, encoded.vectors.buffer);
  } catch (error) {
    answer({ error: (error as Error).message });
  }
};

function answer(answer: SessionAnswer, ...transferred: ArrayBuffer[]): void {
  self.postMessage(answer, transferred);
}

function load({ path, threads }: SessionOrder): Promise<InferenceSession> {
  return InferenceSession.create(path, {
    executionProviders: ["cpu"],
    intraOpNumThreads: threads,
    // Between two operators a waiting thread spins for as long as waking it would take, then sleeps. Of a single short
    // text on two cores: 10 % sooner than if it slept at once, and no later than if it spun on, as is the default, at
    // the cost of all other processes.
    extra: { session: { intra_op: { spin_duration_us: "30" } } },
    logSeverityLevel: 3,
  });
}

async function encode({ session, padding }: Loaded, { ids, lengths }: Texts): Promise<Encoded> {
  const width = Math.max(...lengths);
  const shape = [lengths.length, width];
  const padded = new BigInt64Array(lengths.length * width).fill(padding);
  const mask = new BigInt64Array(padded.length);
  let from = 0;
  lengths.forEach((length, text) => {
    for (let i = 0; i < length; i++) padded[text * width + i] = BigInt(ids[from + i]!);
    mask.fill(1n, text * width, text * width + length);
    from += length;
  });
  const feeds = {
    input_ids: new Tensor("int64", padded, shape),
    attention_mask: new Tensor("int64", mask, shape),
    ...(session.inputNames.includes("token_type_ids") && {
      token_type_ids: new Tensor("int64", new BigInt64Array(padded.length), shape),
    }),
  };
  const started = performance.now();
  const { last_hidden_state } = await session.run(feeds, ["last_hidden_state"]);
  const ms = performance.now() - started;
  const hidden = last_hidden_state!.data as Float32Array;
  const dimensions = last_hidden_state!.dims.at(-1)!;
  const vectors = new Float32Array(lengths.length * dimensions);
  lengths.forEach((length, text) => {
    const tokens = hidden.subarray(text * width * dimensions, (text * width + length) * dimensions);
    pool(tokens, vectors.subarray(text * dimensions, (text + 1) * dimensions));
  });
  return { vectors, ms };
}

/** Adds the mean of `tokens`, one after the other, at unit length, to `vector`, which is all zeroes. */
function pool(tokens: Float32Array, vector: Float32Array): void {
  // The sum will do for the mean: unit length takes the difference away.
  for (let from = 0; from < tokens.length; from += vector.length) {
    for (let i = 0; i < vector.length; i++) vector[i]! += tokens[from + i]!;
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
  for (let i = 0; i < vector.length; i++) vector[i]! /= length;
}
