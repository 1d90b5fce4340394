/** The gateway's HTTP face: routes, what they take and give, and how errors look. */

import { Elysia, ParseError, ValidationError } from "elysia";
import { AskHeaders, ErrorBody, Health, QueryAnswer, QueryRequest, queryAnswer, Ready } from "#contracts";
import type { JobPlaces } from "#queue";
import { type App, health, type ReadyCheck, readiness } from "#runtime";
import { ask, type Line } from "./ask.ts";
import { jsonBody } from "./body.ts";
import { type DocumentsOptions, documents } from "./documents/documents.ts";
import { HttpError, stopping } from "./http-error.ts";
import { jobs } from "./jobs/jobs.ts";
import type { WebhookRules } from "./jobs/webhook.ts";
import type { Guard } from "./keys/guard.ts";
import type { GatewayMetrics } from "./metrics.ts";
import { isOpenai, openaiErrorResponse } from "./openai/errors.ts";
import { openai } from "./openai/openai.ts";
import { type StreamsOptions, streamQuery } from "./stream/streams.ts";
import { swaggerUi } from "./swagger-ui.ts";
import { identityOf } from "./tenant.ts";

export interface GatewayOptions {
  readonly app: App;
  readonly line: Line;
  readonly metrics: GatewayMetrics;
  readonly ready: ReadyCheck;
  readonly duty: Duty;
  readonly documents: DocumentsOptions;
  readonly streams: StreamsOptions;
  readonly places: JobPlaces;
  readonly webhooks: WebhookRules;
  readonly guard: Guard;
  /** How long a question's body may take, ms. */
  readonly body_timeout_ms: number;
  /** Whether the log shows what is asked. */
  readonly log_questions: boolean;
}

/** Whether questions are still taken, and how many are being answered. */
export interface Duty {
  draining: boolean;
  active: number;
}

/** Routes that are asked a question and answer it. */
const QUESTIONS = new Set(["/query", "/v1/chat/completions"]);

const STREAMED =
  'With `"stream": true` or `Accept: text/event-stream` the answer comes as server-sent events: `accepted` `{job_id}`, ' +
  "`sources`, `token` `{text}`, `reset` where it begins anew, and `done` with the body below, or `error`.";

export function createGateway(options: GatewayOptions) {
  const { app, line, metrics, ready, duty, guard, streams, places, webhooks, body_timeout_ms } = options;
  return (
    new Elysia({ normalize: false })
      // Nothing that is told here is a page, whatever a document's text looks like.
      .headers({ "x-content-type-options": "nosniff" })
      .onRequest(
        guard.keyed
          ? async ({ request, server, set }) => {
              const address = server?.requestIP(request)?.address ?? "";
              Object.assign(set.headers, await guard.admit(request, address));
            }
          : ({ request }) => {
              guard.admit(request);
            },
      )
      .onError(({ error, code, request, path }) => {
        const answer = request.signal.aborted ? disconnected() : toHttpError(error, code);
        if (QUESTIONS.has(path)) metrics.queries.inc({ status: answer.status });
        if (path === "/v1/embeddings") metrics.embeddings.inc({ status: answer.status });
        if (answer.status >= 500)
          app.log.error({ err: answer, path, job_id: answer.more.job_id }, "answered with an error");
        return isOpenai(request) ? openaiErrorResponse(answer) : answer.response();
      })
      .use(swaggerUi(guard.keyed))
      .post(
        "/query",
        async ({ body, headers, request }) => {
          const asking = {
            ...identityOf(request),
            key: headers["idempotency-key"],
            cache_control: headers["cache-control"],
          };
          if (body.stream ?? request.headers.get("accept")?.includes("text/event-stream")) {
            const client = { request, seen: headers["last-event-id"] };
            // A response of its own, which the schema of the plain answer is not for.
            return (await streamQuery(streams, client, body, asking)) as never;
          }
          const started = performance.now();
          if (duty.draining) throw stopping();
          duty.active++;
          metrics.active.inc();
          try {
            const completion = await ask(line, body, { ...asking, signal: request.signal });
            if (options.log_questions) {
              app.log.info(
                { job_id: completion.job_id, tenant: asking.tenant, query: body.query },
                "answered",
              );
            }
            const latency_ms = performance.now() - started;
            metrics.queries.inc({ status: 200 });
            return queryAnswer(completion, latency_ms);
          } finally {
            duty.active--;
            metrics.active.dec();
            metrics.latency.observe((performance.now() - started) / 1_000);
          }
        },
        {
          ...jsonBody(QueryRequest, body_timeout_ms),
          body: QueryRequest,
          headers: AskHeaders,
          response: {
            200: QueryAnswer,
            400: ErrorBody,
            408: ErrorBody,
            409: ErrorBody,
            413: ErrorBody,
            415: ErrorBody,
            422: ErrorBody,
            429: ErrorBody,
            500: ErrorBody,
            502: ErrorBody,
            503: ErrorBody,
            504: ErrorBody,
          },
          detail: {
            summary: "Ask a question",
            description: `Answered from the indexed documents, with the passages that the answer rests on. ${STREAMED}`,
            tags: ["query"],
          },
        },
      )
      .use(documents(options.documents))
      .use(jobs({ line, places, streams, webhooks, body_timeout_ms }))
      .use(openai({ line, streams, body_timeout_ms }))
      .get("/health", () => health("gateway"), {
        response: Health,
        detail: { summary: "Whether the process lives", tags: ["operation"], security: [] },
      })
      .get(
        "/ready",
        async ({ status }) => {
          const body = await readiness(async () => ({ ...(await ready()), duty: { ok: !duty.draining } }));
          return status(body.status === "ready" ? 200 : 503, body);
        },
        {
          response: { 200: Ready, 503: Ready },
          detail: {
            summary: "Whether questions can be taken now, dependency by dependency",
            tags: ["operation"],
            security: [],
          },
        },
      )
      .get(
        "/metrics",
        async () => {
          const { registry } = app;
          return new Response(await registry.metrics(), {
            headers: { "content-type": registry.contentType },
          });
        },
        { detail: { summary: "Prometheus metrics", tags: ["operation"] } },
      )
  );
}

/** The app's type, for typed clients. */
export type Gateway = ReturnType<typeof createGateway>;

function toHttpError(error: unknown, code: string | number): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof ParseError && error.cause instanceof HttpError) return error.cause;
  if (error instanceof ValidationError) return invalid(error);
  if (code === "NOT_FOUND") {
    return new HttpError(404, "not_found", "there is no such route: see /swagger for those there are");
  }
  return new HttpError(500, "internal", "the gateway failed on this request: its log says why", {
    cause: error,
  });
}

function invalid({ all: [first] }: ValidationError): HttpError {
  const field = (first && "path" in first && first.path.slice(1)) || "the body";
  return new HttpError(400, "invalid_request", `${field}: ${first?.summary ?? "does not fit"}`);
}

/** Nobody reads it; it is what logs and metrics show, by the status that nginx made known for it. */
function disconnected(): HttpError {
  return new HttpError(499, "disconnected", "the client hung up");
}
