/** The jobs' routes: a question without a connection that waits for its answer. */
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import {
  ErrorBody,
  EventStream,
  JobAccepted,
  JobEnded,
  JobParams,
  JobRequest,
  JobStatus,
  QueryHeaders,
  StreamHeaders,
} from "#contracts";
import type { AcceptedJob, JobPlaces } from "#queue";
import { type Line, submit } from "../ask.ts";
import { jsonBody } from "../body.ts";
import { noSuchJob, redisUnavailable, refuseToCancel, stopping } from "../http-error.ts";
import { type StreamsOptions, streamEvents } from "../stream/streams.ts";
import { identityOf, tenantOf } from "../tenant.ts";
import { jobStatus } from "./status.ts";
import { successorOf, type WebhookRules } from "./webhook.ts";

export interface JobsOptions {
  readonly line: Line;
  readonly places: JobPlaces;
  readonly streams: StreamsOptions;
  readonly webhooks: WebhookRules;
  /** How long a body may take, ms. */
  readonly body_timeout_ms: number;
}

const tags = ["jobs"];
/** What a webhook's receiver is asked, for the OpenAPI document. */
const webhookOperation = {
  summary: "How the job ended",
  parameters: ["webhook-id", "webhook-timestamp", "webhook-signature"].map((name) => {
    return { name, in: "header", required: true, schema: { type: "string" } };
  }),
  requestBody: { required: true, content: { "application/json": { schema: JobEnded } } },
  responses: {
    "2XX": { description: "Taken" },
    410: { description: "No more of it is wanted" },
    default: { description: "Not taken: sent again later" },
  },
};
const NEVER = new AbortController().signal;

export function jobs({ line, places, streams, webhooks, body_timeout_ms }: JobsOptions) {
  /** @throws HttpError 404 for a job that nobody knows, and for another tenant's. */
  const find = async (request: Request, job_id: string): Promise<AcceptedJob> => {
    const job = await fromRedis(line.admission.find(job_id));
    if (job?.tenant !== tenantOf(request)) throw noSuchJob(job_id);
    return job;
  };

  return new Elysia({ name: "jobs", normalize: false })
    .post(
      "/jobs",
      async ({ body, headers, request, set, status }) => {
        if (streams.duty.draining) throw stopping();
        const asking = {
          ...identityOf(request),
          key: headers["idempotency-key"],
          signal: NEVER,
          stream: true,
          successor: body.webhook && successorOf(webhooks, body.webhook),
        };
        const { job_id, completion } = await submit(line, body, asking);
        completion.catch(() => {}); // whoever asks for it is told then
        set.headers.location = `/jobs/${job_id}`;
        return status(202, { job_id });
      },
      {
        ...jsonBody(JobRequest, body_timeout_ms),
        body: JobRequest,
        headers: QueryHeaders,
        response: {
          202: JobAccepted,
          400: ErrorBody,
          413: ErrorBody,
          415: ErrorBody,
          422: ErrorBody,
          429: ErrorBody,
          500: ErrorBody,
          503: ErrorBody,
        },
        detail: {
          summary: "Ask a question without waiting",
          description:
            "`Location` says where its state and, for a minute, its answer can be read. With `webhook`, how it ended is " +
            "POSTed there too, signed as of Standard Webhooks.",
          tags,
          callbacks: { ended: { "{$request.body#/webhook/url}": { post: webhookOperation as never } } },
        },
      },
    )
    .get(
      "/jobs/:id",
      async ({ params: { id }, request }) => {
        const job = await find(request, id);
        return fromRedis(jobStatus({ waiter: line.waiter, places }, job));
      },
      {
        params: JobParams,
        response: { 200: JobStatus, 404: ErrorBody, 500: ErrorBody, 503: ErrorBody },
        detail: {
          summary: "What has become of a job",
          description: "Its state, where on the line it is, and its answer for a minute after it was given.",
          tags,
        },
      },
    )
    .get(
      "/jobs/:id/events",
      async ({ params: { id }, headers, request }) => {
        const job = await find(request, id);
        const client = { request, seen: headers["last-event-id"] };
        return streamEvents(streams, client, job) as never;
      },
      {
        params: JobParams,
        headers: StreamHeaders,
        response: {
          200: EventStream,
          204: Type.Void(),
          400: ErrorBody,
          404: ErrorBody,
          500: ErrorBody,
          503: ErrorBody,
        },
        detail: {
          summary: "A job's answer as it comes",
          description:
            "From the beginning, or from after `Last-Event-ID`, on whichever gateway. 204 for a client that has all. " +
            "Hanging up does not cancel the job.",
          tags,
        },
      },
    )
    .delete(
      "/jobs/:id",
      async ({ params: { id }, request, status }) => {
        await find(request, id);
        refuseToCancel(id, await fromRedis(line.canceller.cancel(id)));
        return status(202, { job_id: id });
      },
      {
        params: JobParams,
        response: { 202: JobAccepted, 404: ErrorBody, 409: ErrorBody, 503: ErrorBody },
        detail: {
          summary: "Cancel a job",
          description:
            "Stops it wherever it is on the line; whoever waits for it is answered with 409. Again is 202 again; a job " +
            "that was answered is 409 for as long as its answer lives, and one that nobody knows 404.",
          tags,
        },
      },
    );
}

/** @throws HttpError 503 where Redis does not answer. */
async function fromRedis<T>(asked: Promise<T>): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    throw redisUnavailable(error);
  }
}
