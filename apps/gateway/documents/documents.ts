/** The documents' routes: uploads, their states, deletion, and passages in their context. */
import { Type } from "@sinclair/typebox";
import { Elysia } from "elysia";
import {
  DocumentAccepted,
  DocumentForm,
  DocumentParams,
  DocumentPassages,
  DocumentStatus,
  DocumentsPage,
  DocumentsQuery,
  DocumentUpload,
  ErrorBody,
  estimateTokens,
  PassagesQuery,
  QueryHeaders,
} from "#contracts";
import { type CompletionWaiter, Expired } from "#queue";
import type { App } from "#runtime";
import type { VectorStore } from "#vector-store";
import { fromCompletion, HttpError } from "../http-error.ts";
import { identityOf, tenantOf } from "../tenant.ts";
import { contentOf } from "./content.ts";
import { gatewayStopping, noSuchDocument } from "./errors.ts";
import { Listing } from "./listing.ts";
import { documentMetrics } from "./metrics.ts";
import { fromStore, statusesOf } from "./status.ts";
import { type Submission, submitDeletion, submitUpload } from "./submit.ts";
import { readUpload } from "./upload.ts";

export interface DocumentsOptions {
  readonly app: App;
  readonly submission: Submission;
  readonly store: VectorStore;
  readonly waiter: CompletionWaiter;
  /** How long an upload's body may take, ms. */
  readonly body_timeout_ms: number;
  /** Whether requests are still taken, and how many are being answered. */
  readonly duty: { draining: boolean; active: number };
}

/** Uploads at once: the largest take some 100 MB each while they are read, checked and written. */
const MOST_UPLOADS = 4;
/** A deletion is waited for this long, then it goes on without its caller, ms. */
const DELETION_WAIT_MS = 5_000;

const tags = ["documents"];

export function documents(options: DocumentsOptions) {
  const { app, submission, store, waiter, duty } = options;
  const { redis, names } = submission;
  const sources = { redis, names, store };
  const listing = new Listing(sources);
  const metrics = documentMetrics(app.registry);
  let reading = 0;

  const upload = async (request: Request, key: string | undefined) => {
    if (duty.draining) throw gatewayStopping();
    if (reading >= MOST_UPLOADS) throw tooManyUploads();
    reading++;
    duty.active++;
    metrics.reading.inc();
    try {
      const sent = await readUpload(request, options.body_timeout_ms);
      const content = await contentOf(sent, request.signal);
      const accepted = await submitUpload(submission, identityOf(request), sent, content, key);
      await identityOf(request).spend(estimateTokens(content.content));
      return accepted;
    } finally {
      reading--;
      duty.active--;
      metrics.reading.dec();
    }
  };

  return new Elysia({ name: "documents", normalize: false })
    .post(
      "/documents",
      async ({ request, headers, set, status }) => {
        try {
          const { document_id, job_id } = await upload(request, headers["idempotency-key"]);
          metrics.uploads.inc({ status: 202 });
          set.headers.location = `/documents/${encodeURIComponent(document_id)}`;
          return status(202, { document_id, state: "queued", job_id });
        } catch (error) {
          metrics.uploads.inc({ status: error instanceof HttpError ? error.status : 500 });
          throw error;
        }
      },
      {
        parse: "none",
        headers: QueryHeaders,
        response: {
          202: DocumentAccepted,
          400: ErrorBody,
          408: ErrorBody,
          413: ErrorBody,
          415: ErrorBody,
          422: ErrorBody,
          429: ErrorBody,
          500: ErrorBody,
          503: ErrorBody,
        },
        detail: {
          summary: "Upload a document",
          description:
            "Text, Markdown, HTML or PDF, as JSON or as a form with a file. It is queued, and found by questions once it is indexed: " +
            "`Location` says where to look. An upload under an id that is there replaces that document; of two, the later one stays.",
          tags,
          requestBody: {
            required: true,
            content: {
              "application/json": { schema: DocumentUpload as never },
              "multipart/form-data": { schema: DocumentForm as never },
            },
          },
        },
      },
    )
    .get(
      "/documents",
      ({ request, query: { limit = 20, cursor } }) => listing.page(tenantOf(request), limit, cursor),
      {
        transform: ({ query }) => readNumbers(query),
        query: DocumentsQuery,
        response: { 200: DocumentsPage, 400: ErrorBody, 500: ErrorBody, 503: ErrorBody },
        detail: { summary: "The documents and their states, page by page", tags },
      },
    )
    .get(
      "/documents/:id",
      async ({ request, params: { id } }) => {
        const [status] = await statusesOf(sources, tenantOf(request), [id]);
        if (!status) throw noSuchDocument(id);
        return status;
      },
      {
        params: DocumentParams,
        response: { 200: DocumentStatus, 404: ErrorBody, 500: ErrorBody, 503: ErrorBody },
        detail: { summary: "What has become of a document", tags },
      },
    )
    .delete(
      "/documents/:id",
      async ({ request, params: { id }, status }) => {
        if (duty.draining) throw gatewayStopping();
        const tenant = tenantOf(request);
        const [there] = await statusesOf(sources, tenant, [id]);
        if (!there) throw noSuchDocument(id);
        let done: ReturnType<CompletionWaiter["wait"]> | undefined;
        const { job_id } = await submitDeletion(submission, tenant, id, (job) => {
          done = waiter.wait(job, Date.now() + DELETION_WAIT_MS, request.signal);
          done.catch(() => {});
        });
        try {
          const completion = await done!;
          if (completion.status === "ok") return status(204, undefined);
          throw fromCompletion(completion);
        } catch (error) {
          if (error instanceof Expired) return status(202, { document_id: id, state: "deleting", job_id });
          throw error;
        }
      },
      {
        params: DocumentParams,
        response: {
          202: DocumentAccepted,
          204: Type.Void(),
          404: ErrorBody,
          409: ErrorBody,
          500: ErrorBody,
          503: ErrorBody,
        },
        detail: {
          summary: "Delete a document",
          description:
            "Also while it is queued or being indexed. 204 once it is gone; 202 where that takes longer: it goes before any upload that waits.",
          tags,
        },
      },
    )
    .get(
      "/documents/:id/passages",
      async ({ request, params: { id }, query: { around = 0, radius = 2 } }) => {
        const tenant = tenantOf(request);
        const [document, passages] = await fromStore(() =>
          Promise.all([
            store.get(tenant, id),
            store.passages(tenant, id, Math.max(0, around - radius), around + radius + 1),
          ]),
        );
        if (!document) throw noSuchDocument(id);
        if (passages.length === 0) {
          throw new HttpError(404, "no_such_passage", `the document has no passage near position ${around}`);
        }
        return {
          document_id: id,
          title: document.title,
          source: document.source,
          passages: passages.map(({ id, position, heading_path, text }) => ({
            id,
            position,
            heading_path: [...heading_path],
            text,
          })),
        };
      },
      {
        params: DocumentParams,
        transform: ({ query }) => readNumbers(query),
        query: PassagesQuery,
        response: { 200: DocumentPassages, 400: ErrorBody, 404: ErrorBody, 500: ErrorBody, 503: ErrorBody },
        detail: { summary: "A source in its context: the passages around one", tags },
      },
    );
}

/** Parameters come as text; what is no number is left for the schema to refuse. */
function readNumbers(query: Record<string, unknown>): void {
  for (const name of ["limit", "around", "radius"]) {
    const text = query[name];
    if (typeof text === "string" && /^-?\d+$/.test(text)) query[name] = Number(text);
  }
}

function tooManyUploads(): HttpError {
  const message = `${MOST_UPLOADS} uploads are being read already; this one was not accepted: try again in a moment`;
  return new HttpError(429, "too_many_uploads", message, { retry_after_s: 1 });
}
