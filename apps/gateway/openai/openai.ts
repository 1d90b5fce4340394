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
  type QueryRequest,
} from "#contracts";
import type { Logger } from "#runtime";
import { type Asking, ask, bodyOf, type Line } from "../ask.ts";
import { readJson } from "../body.ts";
import { HttpError, stopping } from "../http-error.ts";
import { type Client, type StreamsOptions, streamQuery } from "../stream/streams.ts";
import { identityOf } from "../tenant.ts";
import { chatCompletion, chatErrorResponse, chunkEncoder } from "./completion.ts";
import { questionOf } from "./question.ts";

export interface OpenaiOptions {
  readonly line: Line;
  readonly streams: StreamsOptions;
  readonly log: Logger;
  /** How long a body may take, ms. */
  readonly body_timeout_ms: number;
}

const tags = ["openai"];
const errors = {
  400: ChatError,
  404: ChatError,
  409: ChatError,
  413: ChatError,
  415: ChatError,
  422: ChatError,
  429: ChatError,
  500: ChatError,
  502: ChatError,
  503: ChatError,
  504: ChatError,
};

export function openai({ line, streams, log, body_timeout_ms }: OpenaiOptions) {
  const { metrics, duty } = streams;
  const started_at = Math.floor(Date.now() / 1_000);
  const model = { id: CHAT_MODEL, object: "model", created: started_at, owned_by: CHAT_MODEL } as const;

  /** Errors too are of this API's shape, so they are caught here. */
  const answering = async (request: Request, answer: () => Promise<Response>): Promise<Response> => {
    try {
      return await answer();
    } catch (error) {
      const told = toHttpError(error, request.signal);
      metrics.queries.inc({ status: told.status });
      if (told.status >= 500) log.error({ err: told, ...told.more }, "answered with an error");
      return chatErrorResponse(told);
    }
  };

  const answerWhole = async (question: QueryRequest, asking: Asking): Promise<Response> => {
    if (duty.draining) throw stopping();
    const started = performance.now();
    duty.active++;
    metrics.active.inc();
    try {
      const completion = await ask(line, question, asking);
      metrics.queries.inc({ status: 200 });
      return Response.json(chatCompletion(question.query, bodyOf(completion)));
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
    if (body.model !== CHAT_MODEL) throw noSuchModel(body.model);
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
    .post("/v1/chat/completions", ({ request }) => answering(request, () => chat({ request })) as never, {
      parse: "none",
      response: { 200: ChatCompletion, ...errors },
      detail: {
        summary: "Ask a question, as of OpenAI's chat API",
        description:
          "The sources are `citations`, and annotations where the answer cites them. With `stream`, chunks; the last " +
          "one holds the annotations.",
        tags,
        requestBody: { required: true, content: { "application/json": { schema: ChatRequest as never } } },
      },
    })
    .get("/v1/models", () => ({ object: "list" as const, data: [model] }), {
      response: ChatModels,
      detail: { summary: "The models, as of OpenAI's API", tags },
    })
    .get(
      "/v1/models/:model",
      ({ params: { model: id } }) =>
        (id === CHAT_MODEL ? Response.json(model) : chatErrorResponse(noSuchModel(id))) as never,
      {
        response: { 200: ChatModel, 404: ChatError },
        detail: { summary: "A model, as of OpenAI's API", tags },
      },
    );
}

function noSuchModel(model: string): HttpError {
  const message = `there is no model ${JSON.stringify(model)}: ask for "${CHAT_MODEL}"`;
  return new HttpError(404, "model_not_found", message);
}

function toHttpError(error: unknown, signal: AbortSignal): HttpError {
  if (error instanceof HttpError) return error;
  if (signal.aborted) return new HttpError(499, "disconnected", "the client hung up");
  const message = "the gateway failed on this request: its log says why";
  return new HttpError(500, "internal", message, { cause: error });
}
