/** The queues of the line and what may lie in each: a name and its contract, declared together. */
import { type TSchema, Type } from "@sinclair/typebox";
import { type Contract, contract } from "./check.ts";
import { Completion, EmbeddingIn, EncoderIn, IndexIn, LlmIn, RetrieverIn, WebhookIn } from "./messages.ts";

/** A Redis list and the contract of its messages. */
export interface Queue<S extends TSchema = TSchema> {
  readonly kind: "queue";
  readonly name: string;
  readonly message: Contract<S>;
  /** How long the completions of its jobs stay readable, seconds; `COMPLETION_TTL_SECONDS` where nothing is said. */
  readonly completion_ttl_s?: number;
  /** How often and how soon its jobs are tried again; where nothing is said, eight times, within seconds. */
  readonly retries?: Retries;
}

/** Waits double from `first_ms` to `longest_ms`; the last try is the one after `most` of them. */
export interface Retries {
  readonly first_ms: number;
  readonly longest_ms: number;
  readonly most: number;
}

/** The end of the line: what a last stage says goes to the job's caller. */
export interface Completions<S extends TSchema = TSchema> {
  readonly kind: "completion";
  readonly name: string;
  readonly message: Contract<S>;
}

const queue = <S extends TSchema>(
  name: string,
  schema: S,
  more: Pick<Queue, "completion_ttl_s" | "retries"> = {},
): Queue<S> => ({ kind: "queue", name, message: contract(schema), ...more });

/** A week: why a document was not indexed is asked long after the upload. */
export const INDEX_COMPLETION_TTL_SECONDS = 7 * 24 * 3_600;

/** Half an hour: as long as a receiver may take to be deployed anew. */
const WEBHOOK_RETRIES: Retries = { first_ms: 1_000, longest_ms: 600_000, most: 12 };

export const queues = {
  encoderIn: queue("job:encoder_in", Type.Union([EncoderIn, EmbeddingIn])),
  retrieverIn: queue("job:retriever_in", RetrieverIn),
  llmIn: queue("job:llm_in", LlmIn),
  indexIn: queue("job:index_in", IndexIn, { completion_ttl_s: INDEX_COMPLETION_TTL_SECONDS }),
  webhookIn: queue("job:webhook_in", WebhookIn, { retries: WEBHOOK_RETRIES }),
};

export const completions: Completions<typeof Completion> = {
  kind: "completion",
  name: "job:completion",
  message: contract(Completion),
};
