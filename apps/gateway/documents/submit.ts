/**
 * The changes of documents, as jobs of the indexer's queue.
 *
 * With each, the document's hash in Redis is replaced in the same step: it names the newest job, and only that one may
 * still change the document. So the order of acceptance decides, whatever the order in which jobs are done.
 */
import type { Redis } from "ioredis";
import {
  type DocumentRecord,
  INDEX_COMPLETION_TTL_SECONDS,
  type IndexIn,
  queues,
  type RedisNames,
} from "#contracts";
import { type AcceptedJob, type Admission, Canceller, encode, type Note } from "#queue";
import { HttpError } from "../http-error.ts";
import type { Identity } from "../tenant.ts";
import type { Content } from "./content.ts";
import { redisAway } from "./errors.ts";
import type { Upload } from "./upload.ts";

export interface Submission {
  /** Name of this gateway. */
  readonly gateway: string;
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly admission: Admission<typeof queues.indexIn.message.schema>;
  /** How long a document may wait and be worked on, ms. */
  readonly timeout_ms: number;
}

export interface Accepted {
  readonly document_id: string;
  readonly job_id: string;
}

/** Documents take seconds each: a full queue has no room sooner. */
const RETRY_AFTER_S = 30;

/**
 * Queues an upload, once for one `key`.
 * @throws HttpError 422 for a key that was used for another upload, 429 where the queue is full, 503 where Redis did not take it.
 */
export async function submitUpload(
  to: Submission,
  { tenant, priority }: Pick<Identity, "tenant" | "priority">,
  upload: Upload,
  content: Content,
  key: string | undefined,
): Promise<Accepted> {
  const job = newJob(to, tenant, upload.id);
  const title = upload.title ?? content.title;
  const { source = job.document_id, metadata } = upload;
  const record = { ...recordOf(job, "put"), source, title, metadata: metadata && JSON.stringify(metadata) };
  const digest = digestOf(upload);
  const admitted = await to.admission
    .admit(
      {
        ...job,
        priority,
        source,
        format: content.format,
        content: content.content,
        title,
        metadata,
        operation: "put",
      },
      key ? `documents:${tenant}:${key}` : job.job_id,
      digest,
      noteOf(to, tenant, job.document_id, record),
    )
    .catch((error) => {
      throw redisAway(error);
    });
  switch (admitted.kind) {
    case "admitted":
      return { document_id: job.document_id, job_id: job.job_id };
    case "full":
    case "overloaded":
      throw new HttpError(
        429,
        "line_full",
        "too many documents wait; this one was not accepted: try again later",
        {
          retry_after_s: RETRY_AFTER_S,
        },
      );
    case "seen": {
      const { job_id } = admitted.job;
      if (admitted.job.digest === digest) return { document_id: upload.id ?? job_id, job_id };
      const message = "this Idempotency-Key was used for another document: use a new one for each";
      throw new HttpError(422, "idempotency_key_reused", message);
    }
  }
}

/**
 * Queues a deletion, to be taken next; `before` is called with its job's id first. The job that it supersedes is
 * cancelled, so that nothing more is spent on it.
 * @throws HttpError 503 where Redis did not take it.
 */
export async function submitDeletion(
  to: Submission,
  tenant: string,
  document_id: string,
  before: (job_id: string) => void,
): Promise<Accepted> {
  const { redis, names } = to;
  const job = { ...newJob(to, tenant, document_id), source: document_id, operation: "delete" } as const;
  const message = encode(queues.indexIn, { ...job, format: "text", content: "" });
  const { key, fields, ttl_ms, listed_in, member } = noteOf(to, tenant, document_id, recordOf(job, "delete"));
  before(job.job_id);
  try {
    const superseded = await redis.hget(key, "job_id");
    const written = await redis
      .multi()
      .del(key)
      .hset(key, fields)
      .pexpire(key, ttl_ms)
      .zadd(listed_in, 0, member)
      .set(names.accepted(job.job_id), JSON.stringify(acceptedOf(job)), "PX", ttl_ms)
      .rpush(names.queue(queues.indexIn.name), message)
      .exec();
    const failed = written?.find(([error]) => error)?.[0];
    if (failed) throw failed;
    if (superseded) await new Canceller(redis, names).cancel(superseded).catch(() => {});
  } catch (error) {
    throw redisAway(error);
  }
  return { document_id, job_id: job.job_id };
}

function newJob({ gateway, timeout_ms }: Submission, tenant: string, id: string | undefined) {
  const job_id = crypto.randomUUID();
  const submitted_at = Date.now();
  return {
    job_id,
    tenant,
    document_id: id ?? job_id,
    submitted_at,
    deadline: submitted_at + timeout_ms,
    reply_to: gateway,
    timings: {},
    latest_only: true,
  } satisfies Partial<IndexIn>;
}

/** Without it nobody would know whose job it is. */
function acceptedOf({ job_id, deadline, reply_to, tenant }: ReturnType<typeof newJob>): AcceptedJob {
  return { job_id, deadline, digest: "", reply_to, tenant };
}

function recordOf(
  { job_id, submitted_at }: { job_id: string; submitted_at: number },
  operation: DocumentRecord["operation"],
): DocumentRecord {
  return { job_id, operation, submitted_at: String(submitted_at) };
}

/** It outlives its job's completion: without it nobody would know which completion to look for. */
function noteOf(
  { names, timeout_ms }: Submission,
  tenant: string,
  document_id: string,
  fields: DocumentRecord,
) {
  return {
    key: names.document(tenant, document_id),
    fields,
    ttl_ms: timeout_ms + INDEX_COMPLETION_TTL_SECONDS * 1_000,
    listed_in: names.documents(tenant),
    member: document_id,
  } satisfies Note;
}

function digestOf({ content, ...about }: Upload): string {
  return `${Bun.hash(content).toString(36)}-${Bun.hash(JSON.stringify(about)).toString(36)}`;
}
