/**
 * Every message on the line, as it lies in Redis: snake_case JSON.
 *
 * A message may carry fields that are not named here; a consumer passes over them.
 */
import { FormatRegistry, type Static, Type } from "@sinclair/typebox";
import { isPackedEmbedding, PACKED_EMBEDDING_CHARS } from "./embedding.ts";
import { DEFAULT_TENANT, MAX_QUERY_CHARS, MAX_TOP_K } from "./limits.ts";
import { TokenUsage } from "./usage.ts";

export const Stage = Type.Union(
  [
    Type.Literal("gateway"),
    Type.Literal("encoder"),
    Type.Literal("retriever"),
    Type.Literal("llm"),
    Type.Literal("indexer"),
    Type.Literal("webhooks"),
  ],
  { description: "A stage of the line" },
);
export type Stage = Static<typeof Stage>;

/** What one stage did with one job, in milliseconds. */
export const StageTiming = Type.Object({
  waited: Type.Number({ minimum: 0, description: "Between the stage before and this one taking it, ms" }),
  worked: Type.Number({ minimum: 0, description: "In the stage's handler, ms" }),
  first_token: Type.Optional(
    Type.Number({
      minimum: 0,
      description: "Of `worked`, until the answer's first token; of `llm` alone, ms",
    }),
  ),
});
export type StageTiming = Static<typeof StageTiming>;

export const Timings = Type.Record(Type.String(), StageTiming, {
  description: "Per stage, in milliseconds",
  example: { encoder: { waited: 0.4, worked: 6.1 } },
});
export type Timings = Static<typeof Timings>;

const envelope = {
  job_id: Type.String({ minLength: 1, maxLength: 128 }),
  submitted_at: Type.Number({ description: "When the job was accepted, epoch ms" }),
  deadline: Type.Number({ description: "When its caller stops waiting, epoch ms: one for the whole line" }),
  reply_to: Type.String({
    minLength: 1,
    description: "The gateway that waits: names the channel to wake it",
  }),
  timings: Timings,
  attempts: Type.Optional(
    Type.Integer({ minimum: 0, description: "How often the stage it waits for has put it off" }),
  ),
  traceparent: Type.Optional(Type.String({ description: "W3C trace context" })),
  tenant: Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 128,
      default: DEFAULT_TENANT,
      description: "Whose job it is: it sees this tenant's documents alone",
    }),
  ),
  priority: Type.Optional(
    Type.Number({
      minimum: 1,
      maximum: 100,
      description:
        "Where jobs of several tenants wait they are taken in turn, so many of this one to 1 of a plain one. Without it, in the order in which they came",
    }),
  ),
};

const metadataValue = Type.Union([Type.String({ maxLength: 512 }), Type.Number(), Type.Boolean()]);

/** What a document says about itself beside its text. */
export const Metadata = Type.Record(Type.String({ minLength: 1, maxLength: 64 }), metadataValue, {
  description: "Names and values to filter by",
  example: { lang: "en", year: 2024 },
});
export type Metadata = Static<typeof Metadata>;

/** Narrows a search within its tenant; all that are given must hold. */
export const SearchFilter = Type.Object(
  {
    document_ids: Type.Optional(
      Type.Array(Type.String({ minLength: 1, maxLength: 512 }), {
        maxItems: 1_000,
        description: "Only from these documents",
      }),
    ),
    metadata: Type.Optional(
      Type.Record(
        Type.String({ minLength: 1, maxLength: 64 }),
        Type.Union([metadataValue, Type.Array(metadataValue, { maxItems: 100 })]),
        { description: "Only from documents with each of these: a value, or one of several" },
      ),
    ),
  },
  { additionalProperties: false },
);
export type SearchFilter = Static<typeof SearchFilter>;

/** What every message carries, whatever its queue. */
export const Envelope = Type.Object(envelope);
export type Envelope = Static<typeof Envelope>;

const question = {
  ...envelope,
  query: Type.String({ minLength: 1, maxLength: MAX_QUERY_CHARS }),
  top_k: Type.Integer({ minimum: 1, maximum: MAX_TOP_K }),
  filter: Type.Optional(SearchFilter),
  selected_replica: Type.String({
    minLength: 1,
    description: "Base URL of the replica counted for this job",
  }),
  stream: Type.Optional(
    Type.Boolean({ default: false, description: "Its tokens go to `job:tokens:<JOB_ID>` as they come" }),
  ),
};

export const EncoderIn = Type.Object(question, { $id: "EncoderIn" });
export type EncoderIn = Static<typeof EncoderIn>;

FormatRegistry.Set("packed-embedding", isPackedEmbedding);

/** A text whose vector is all that is wanted: its job ends at the encoder, with an `EmbeddingCompletion`. */
export const EmbeddingIn = Type.Object(
  {
    ...envelope,
    only: Type.Literal("embedding"),
    text: Type.String({ minLength: 1, maxLength: MAX_QUERY_CHARS }),
  },
  { $id: "EmbeddingIn" },
);
export type EmbeddingIn = Static<typeof EmbeddingIn>;

const embedding = Type.String({
  minLength: PACKED_EMBEDDING_CHARS,
  maxLength: PACKED_EMBEDDING_CHARS,
  format: "packed-embedding",
  description: "The text's vector, base64 of little-endian float32",
});

export const RetrieverIn = Type.Object({ ...question, embedding }, { $id: "RetrieverIn" });
export type RetrieverIn = Static<typeof RetrieverIn>;

/** A passage that the answer may rest on. */
export const Source = Type.Object({
  id: Type.String({ description: "The chunk's id" }),
  title: Type.String({ description: "The document's title" }),
  source: Type.String({ description: "Where the document came from: a path or an address" }),
  score: Type.Number({ description: "How near the question it is; higher is nearer" }),
  text: Type.String({ description: "The passage itself" }),
  document_id: Type.Optional(Type.String({ description: "Its document: see GET /documents/{id}" })),
  position: Type.Optional(
    Type.Integer({ minimum: 0, description: "Its place in the document, from 0: shows it in context" }),
  ),
  heading_path: Type.Optional(
    Type.Array(Type.String(), { description: "Headings above it, outermost first" }),
  ),
});
export type Source = Static<typeof Source>;

export const LlmIn = Type.Object(
  {
    ...question,
    contexts: Type.Array(Source, { maxItems: MAX_TOP_K }),
    augmented_prompt: Type.String({ description: "Instructions, numbered sources and the question" }),
  },
  { $id: "LlmIn" },
);
export type LlmIn = Static<typeof LlmIn>;

export const DocumentFormat = Type.Union([
  Type.Literal("markdown"),
  Type.Literal("text"),
  Type.Literal("html"),
]);
export type DocumentFormat = Static<typeof DocumentFormat>;

/** A document on its way to the vector store. */
export const IndexIn = Type.Object(
  {
    ...envelope,
    document_id: Type.String({ minLength: 1, maxLength: 512 }),
    source: Type.String({ minLength: 1, description: "Where it came from: a path or an address" }),
    format: DocumentFormat,
    content: Type.String(),
    title: Type.Optional(
      Type.String({ minLength: 1, maxLength: 512, description: "In place of the content's own" }),
    ),
    metadata: Type.Optional(Metadata),
    operation: Type.Optional(
      Type.Union([Type.Literal("put"), Type.Literal("delete")], {
        default: "put",
        description: "`delete` takes the document out of the store, whatever `content` says",
      }),
    ),
    latest_only: Type.Optional(
      Type.Boolean({
        default: false,
        description: "Done only while the document's hash in Redis names this job as its newest",
      }),
    ),
  },
  { $id: "IndexIn" },
);
export type IndexIn = Static<typeof IndexIn>;

const completed = { job_id: envelope.job_id, timings: Timings };

export const AnswerCompletion = Type.Object({
  ...completed,
  status: Type.Literal("ok"),
  answer: Type.String(),
  sources: Type.Array(Source),
  selected_replica: Type.String({ description: "Base URL of the replica that answered" }),
  worker: Type.String({ description: "Name of the LLM worker that called it" }),
  first_token_ms: Type.Optional(
    Type.Number({ minimum: 0, description: "From when the worker took the job to the first token, ms" }),
  ),
  usage: Type.Optional(TokenUsage),
});
export type AnswerCompletion = Static<typeof AnswerCompletion>;

/** What is kept of an answer, as JSON, for whoever asks the same again. */
export const KeptAnswer = Type.Pick(AnswerCompletion, ["answer", "sources", "selected_replica", "worker"]);
export type KeptAnswer = Static<typeof KeptAnswer>;

export const IndexCompletion = Type.Object({
  ...completed,
  status: Type.Literal("ok"),
  document_id: Type.String(),
  chunks: Type.Integer({ minimum: 0, description: "Chunks that the document has now" }),
});
export type IndexCompletion = Static<typeof IndexCompletion>;

export const EmbeddingCompletion = Type.Object({
  ...completed,
  status: Type.Literal("ok"),
  embedding,
  tokens: Type.Integer({ minimum: 1, description: "Of the text, as the model reads it" }),
});
export type EmbeddingCompletion = Static<typeof EmbeddingCompletion>;

export const DeliveryCompletion = Type.Object({
  ...completed,
  status: Type.Literal("ok"),
  delivered: Type.Integer({ description: "HTTP status of the receiver's answer" }),
});
export type DeliveryCompletion = Static<typeof DeliveryCompletion>;

/** `error` is a fault that `code` names for programs and `message` for people; the others were not answered. */
export const FailedCompletion = Type.Object({
  ...completed,
  status: Type.Union([Type.Literal("error"), Type.Literal("expired"), Type.Literal("cancelled")]),
  stage: Stage,
  code: Type.String({ description: "Stable, snake_case" }),
  message: Type.String(),
});
export type FailedCompletion = Static<typeof FailedCompletion>;

export const Completion = Type.Union(
  [AnswerCompletion, IndexCompletion, EmbeddingCompletion, DeliveryCompletion, FailedCompletion],
  { $id: "Completion" },
);
export type Completion = Static<typeof Completion>;

/** How a job ended, on its way to whoever asked to be told. */
export const WebhookIn = Type.Object(
  {
    ...envelope,
    url: Type.String({ minLength: 1, maxLength: 2_048, description: "As it was checked: `URL.href`" }),
    secret: Type.Optional(
      Type.String({ minLength: 1, description: "Of the job; without it, WEBHOOK_SECRET signs" }),
    ),
    completed_at: Type.Number({ description: "Epoch ms" }),
    completion: Completion,
  },
  { $id: "WebhookIn" },
);
export type WebhookIn = Static<typeof WebhookIn>;

/** A message that nobody could use, kept with what was wrong with it. */
export const DeadLetter = Type.Object({
  message: Type.String({ description: "As it lay in the queue, byte for byte" }),
  reason: Type.String(),
  stage: Type.String(),
  at: Type.Number({ description: "Epoch ms" }),
  deliveries: Type.Integer({ minimum: 0, description: "How often it was given back before" }),
});
export type DeadLetter = Static<typeof DeadLetter>;
