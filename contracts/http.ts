/** Every HTTP body that the gateway takes or gives. */
import { type Static, Type } from "@sinclair/typebox";
import { DEFAULT_TOP_K, MAX_QUERY_CHARS, MAX_TOP_K } from "./limits.ts";
import { AnswerCompletion, SearchFilter, Source, Timings } from "./messages.ts";
import { Webhook } from "./webhooks.ts";

export const QueryRequest = Type.Object(
  {
    query: Type.String({
      minLength: 1,
      maxLength: MAX_QUERY_CHARS,
      pattern: "\\S",
      description: "The question, in words",
    }),
    top_k: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: MAX_TOP_K,
        default: DEFAULT_TOP_K,
        description: "How many sources to answer from",
      }),
    ),
    filter: Type.Optional(SearchFilter),
    stream: Type.Optional(
      Type.Boolean({
        description: "Answer with server-sent events as it comes; so does `Accept: text/event-stream`",
      }),
    ),
  },
  { additionalProperties: false, example: { query: "What is machine learning?", top_k: 3 } },
);
export type QueryRequest = Static<typeof QueryRequest>;

export const QueryHeaders = Type.Object({
  "idempotency-key": Type.Optional(
    Type.String({
      minLength: 1,
      maxLength: 256,
      description: "The same key gives the same job and the same answer, for as long as its completion lives",
    }),
  ),
});

/** Where a stream is taken up again. */
export const StreamHeaders = Type.Object({
  "last-event-id": Type.Optional(
    Type.String({
      pattern: "^(0|whole|end|[0-9]{1,15}-[0-9]{1,15})$",
      description: "Id of the last event that the client has: it is told what comes after",
    }),
  ),
});

/** Of routes whose answers may be kept. */
export const CacheHeaders = Type.Object({
  "cache-control": Type.Optional(
    Type.String({
      description:
        "Where answers are kept (`ANSWER_CACHE_SECONDS`): `no-cache` takes none that is kept, `no-store` also keeps none",
      example: "no-cache",
    }),
  ),
});

export const AskHeaders = Type.Object({
  ...QueryHeaders.properties,
  ...StreamHeaders.properties,
  ...CacheHeaders.properties,
});

export const QueryAnswer = Type.Object({
  job_id: Type.String(),
  answer: Type.String({ description: "Cites its sources by number, [1] being the first of `sources`" }),
  latency_ms: Type.Number({ description: "From acceptance to answer, ms" }),
  selected_replica: AnswerCompletion.properties.selected_replica,
  worker: AnswerCompletion.properties.worker,
  sources: Type.Array(Source),
  usage: AnswerCompletion.properties.usage,
  timings: Timings,
  cached: Type.Optional(
    Type.Literal(true, {
      description: "It was kept from before: no stage worked on it, and its `job_id` is of no job",
    }),
  ),
});
export type QueryAnswer = Static<typeof QueryAnswer>;

/** @param latency_ms where it was measured; else what the line says of its stages. */
export function queryAnswer(
  completion: AnswerCompletion & { readonly cached?: true },
  latency_ms = lineLatency(completion),
): QueryAnswer {
  const { job_id, answer, selected_replica, worker, sources, usage, timings, first_token_ms } = completion;
  const body = { job_id, answer, latency_ms, selected_replica, worker, sources, ...(usage && { usage }) };
  if (completion.cached) return { ...body, timings, cached: true };
  if (!timings.llm || first_token_ms === undefined) return { ...body, timings };
  return { ...body, timings: { ...timings, llm: { ...timings.llm, first_token: first_token_ms } } };
}

function lineLatency({ timings }: AnswerCompletion): number {
  return Object.values(timings).reduce((sum, { waited, worked }) => sum + waited + worked, 0);
}

export const ErrorBody = Type.Object(
  {
    error: Type.Object({
      code: Type.String({ description: "Stable, snake_case" }),
      message: Type.String({ description: "What is wrong, and what to do about it" }),
    }),
    job_id: Type.Optional(Type.String()),
  },
  { example: { error: { code: "not_found", message: "what is wrong, and what to do about it" } } },
);
export type ErrorBody = Static<typeof ErrorBody>;

export const JobParams = Type.Object({
  id: Type.String({ minLength: 1, maxLength: 128, description: "The job's id" }),
});

export const JobAccepted = Type.Object({ job_id: Type.String() });

const { stream: _, ...asked } = QueryRequest.properties;

export const JobRequest = Type.Object(
  { ...asked, webhook: Type.Optional(Webhook) },
  {
    additionalProperties: false,
    example: { query: "What is machine learning?", top_k: 3, webhook: Webhook.example },
  },
);

export const JobState = Type.Union(
  [
    Type.Literal("queued"),
    Type.Literal("working"),
    Type.Literal("done"),
    Type.Literal("failed"),
    Type.Literal("expired"),
    Type.Literal("cancelled"),
  ],
  { description: "`failed`, `expired` and `cancelled` ended without an answer: `error` says why" },
);

export const JobStatus = Type.Object({
  job_id: Type.String({ example: "1e0a5c1c-1f0b-4d0e-9a53-1c2f4e1f7d55" }),
  state: JobState,
  stage: Type.Optional(
    Type.String({ description: "The stage that it waits for, or that works on it", example: "llm" }),
  ),
  position: Type.Optional(
    Type.Integer({ minimum: 1, description: "Its place in that stage's queue; 1 is taken next", example: 3 }),
  ),
  deadline: Type.Number({ description: "When it counts as expired, epoch ms", example: 1_760_000_060_000 }),
  result: Type.Optional(QueryAnswer),
  error: Type.Optional(ErrorBody.properties.error),
});
export type JobStatus = Static<typeof JobStatus>;

/** What a webhook is sent. */
export const JobEnded = Type.Object(
  {
    type: Type.Union(
      ["job.done", "job.failed", "job.expired", "job.cancelled"].map((type) => Type.Literal(type)),
    ),
    timestamp: Type.String({ description: "When it ended, ISO 8601" }),
    data: Type.Pick(JobStatus, ["job_id", "state", "result", "error"]),
  },
  {
    description: "How a job ended; the same again has the same `webhook-id`",
    example: {
      type: "job.cancelled",
      timestamp: "2026-11-27T22:30:00.000Z",
      data: {
        job_id: "1e0a5c1c-1f0b-4d0e-9a53-1c2f4e1f7d55",
        state: "cancelled",
        error: { code: "cancelled", message: "the job was cancelled" },
      },
    },
  },
);
export type JobEnded = Static<typeof JobEnded>;

export const Health = Type.Object({
  status: Type.Literal("ok"),
  app: Type.String(),
  uptime_s: Type.Number(),
});
export type Health = Static<typeof Health>;

export const Ready = Type.Object({
  status: Type.Union([Type.Literal("ready"), Type.Literal("not_ready")]),
  dependencies: Type.Record(
    Type.String(),
    Type.Object({ ok: Type.Boolean(), detail: Type.Optional(Type.String()) }),
  ),
});
export type Ready = Static<typeof Ready>;
