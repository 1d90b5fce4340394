/** The routes of OpenAI's API, for clients that speak it already. */
import { Elysia } from "elysia";
import {
  CHAT_MODEL,
  ChatCompletion,
  ChatError,
  ChatModel,
  ChatModels,
  ChatRequest,
  chatRequest,
  EMBEDDING_MODEL,
  type QueryRequest,
  queryAnswer,
} from "#contracts";
import { type Asking, ask, type Line } from "../ask.ts";
import { readJson } from "../body.ts";
import { HttpError, stopping } from "../http-error.ts";
import { type Client, type StreamsOptions, streamQuery } from "../stream/streams.ts";
import { identityOf } from "../tenant.ts";
import { chatCompletion, chunkEncoder } from "./completion.ts";
import { embeddings } from "./embeddings.ts";
import { noSuchModel, openaiErrors } from "./errors.ts";
import { questionOf } from "./question.ts";

export interface OpenaiOptions {
  readonly line: Line;
  readonly streams: StreamsOptions;
  /** How long a body may take, ms. */
  readonly body_timeout_ms: number;
}

const tags = ["openai"];
export function openai({ line, streams, body_timeout_ms }: OpenaiOptions) {
  const { metrics, duty } = streams;
  const started_at = Math.floor(Date.now() / 1_000);
  const models = [CHAT_MODEL, EMBEDDING_MODEL].map((id) => {
    return { id, object: "model", created: started_at, owned_by: CHAT_MODEL } as const;
  });

  const answerWhole = async (question: QueryRequest, asking: Asking): Promise<Response> => {
    if (duty.draining) throw stopping();
    const started = performance.now();
    duty.active++;
    metrics.active.inc();
    try {
      const completion = await ask(line, question, asking);
      metrics.queries.inc({ status: 200 });
      return Response.json(chatCompletion(question.query, queryAnswer(completion)));
    } finally {
      duty.active--;
      metrics.active.dec();
      metrics.latency.observe((performance.now() - started) / 1_000);
    }
  };

  const chat = async (client: Client): Promise<Response> => {
    const { request } = client;
    const body = await readJson(request, body_timeout_ms);
    if (!chatRequest.check(body)) throw new HttpError(400, "invalid_request", chatRequest.explain(body));
    if (body.model !== CHAT_MODEL) throw noSuchModel(body.model, CHAT_MODEL);
    const { top_k, filter } = body;
    const question = { query: questionOf(body.messages), top_k, filter };
    const key = request.headers.get("idempotency-key") ?? undefined;
    // What follows from a conversation is not kept.
    const single = body.messages.filter(({ role }) => role === "user").length === 1;
    const cache_control = single ? request.headers.get("cache-control") : "no-store";
    const asking = { ...identityOf(request), key, cache_control, signal: request.signal };
    if (!body.stream) return answerWhole(question, asking);
    const include_usage = body.stream_options?.include_usage ?? false;
    return streamQuery(streams, client, question, asking, chunkEncoder(question.query, include_usage));
  };

  return new Elysia({ name: "openai", normalize: false })
    .use(embeddings({ line, metrics, duty, body_timeout_ms }))
    .post("/v1/chat/completions", ({ request }) => chat({ request }) as never, {
      parse: "none",
      response: { 200: ChatCompletion, ...openaiErrors },
      detail: {
        summary: "Ask a question, as of OpenAI's chat API",
        description:
          "The sources are `citations`, and annotations where the answer cites them. With `stream`, chunks; the last " +
          "one holds the annotations.",
        tags,
        requestBody: { required: true, content: { "application/json": { schema: ChatRequest as never } } },
      },
    })
    .get("/v1/models", () => ({ object: "list" as const, data: models }), {
      response: ChatModels,
      detail: { summary: "The models, as of OpenAI's API", tags },
    })
    .get(
      "/v1/models/:model",
      ({ params }) => {
        const model = models.find(({ id }) => id === params.model);
        if (!model) throw noSuchModel(params.model, CHAT_MODEL);
        return model;
      },
      {
        response: { 200: ChatModel, 404: ChatError },
        detail: { summary: "A model, as of OpenAI's API", tags },
      },
    );
}
