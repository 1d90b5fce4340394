/** The queues of the line and what may lie in each: a name and its contract, declared together. */
import { type TSchema, Type } from "@sinclair/typebox";
import { type Contract, contract } from "./check.ts";
import { Completion, EmbeddingIn, EncoderIn, IndexIn, LlmIn, RetrieverIn } from "./messages.ts";

/** A Redis list and the contract of its messages. */
export interface Queue<S extends TSchema = TSchema> {
  readonly kind: "queue";
  readonly name: string;
  readonly message: Contract<S>;
  /** How long the completions of its jobs stay readable, seconds; `COMPLETION_TTL_SECONDS` where nothing is said. */
  readonly completion_ttl_s?: number;
}

/** The end of the line: what a last stage says goes to the job's caller. */
export interface Completions<S extends TSchema = TSchema> {
  readonly kind: "completion";
  readonly name: string;
  readonly message: Contract<S>;
}

const queue = <S extends TSchema>(name: string, schema: S, completion_ttl_s?: number): Queue<S> => ({
  kind: "queue",
  name,
  message: contract(schema),
  completion_ttl_s,
});

/** A week: why a document was not indexed is asked long after the upload. */
export const INDEX_COMPLETION_TTL_SECONDS = 7 * 24 * 3_600;

export const queues = {
  encoderIn: queue("job:encoder_in", Type.Union([EncoderIn, EmbeddingIn])),
  retrieverIn: queue("job:retriever_in", RetrieverIn),
  llmIn: queue("job:llm_in", LlmIn),
  indexIn: queue("job:index_in", IndexIn, INDEX_COMPLETION_TTL_SECONDS),
};

export const completions: Completions<typeof Completion> = {
  kind: "completion",
  name: "job:completion",
  message: contract(Completion),
};
