/**
 * What has become of documents. Nobody writes a state down: it follows from four things, each of which is written in
 * the same step as what it tells of, so that no crash leaves a lie.
 *
 * - The document's hash in Redis, with the push of its newest job: what is wanted, and by which job.
 * - That job's completion, with the end of the job, however it ends: by its handler, past its deadline, or among the
 *   dead letters as its workers died.
 * - Its progress, by whoever works on it; it ends by itself where its worker dies, and the document is queued again.
 * - The store: what questions find.
 *
 * | newest job | its completion | its progress | state |
 * | --- | --- | --- | --- |
 * | none known | | | indexed if it is in the store (by `bun run ingest`), else unknown |
 * | upload | none | none, there | queued, indexing |
 * | upload | ok | | indexed if it is in the store, else unknown: it was removed since |
 * | upload | any other | none, there | failed, indexing (it was put back by hand) |
 * | deletion | none | | deleting |
 * | deletion | ok | | unknown, or indexed if it is in the store: it was put there since |
 * | deletion | any other | | failed |
 *
 * Redis is read before the store: what it says is done is then found.
 */
import type { Redis } from "ioredis";
import {
  type Completion,
  completions,
  type DocumentRecord,
  type DocumentStatus,
  type RedisNames,
  readStoredDigest,
} from "#contracts";
import { type StoredDocument, StoreError, type VectorStore } from "#vector-store";
import { redisAway, storeAway } from "./errors.ts";

export interface StatusSources {
  readonly redis: Redis;
  readonly names: RedisNames;
  readonly store: VectorStore;
}

/** What Redis knows of one document. */
interface Known {
  readonly record?: DocumentRecord;
  readonly completion?: Completion;
  readonly progress?: { done: number; total: number };
}

/** The documents' states, in order; `undefined` for one that there is not. @throws HttpError 503 */
export async function statusesOf(
  sources: StatusSources,
  tenant: string,
  document_ids: readonly string[],
): Promise<(DocumentStatus | undefined)[]> {
  const known = await knownOf(sources, tenant, document_ids);
  const stored = await fromStore(() => Promise.all(document_ids.map((id) => sources.store.get(tenant, id))));
  return document_ids.map((id, i) => statusOf(id, known[i]!, stored[i]));
}

/** What `read` gives. @throws HttpError 503 if the store cannot be read. */
export async function fromStore<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof StoreError ? storeAway(error) : error;
  }
}

async function knownOf(
  { redis, names }: StatusSources,
  tenant: string,
  document_ids: readonly string[],
): Promise<Known[]> {
  try {
    const records = (await Promise.all(
      document_ids.map((id) => redis.hgetall(names.document(tenant, id))),
    )) as unknown as Partial<DocumentRecord>[];
    return await Promise.all(
      records.map(async (record) => {
        const { job_id } = record;
        if (job_id === undefined) return {};
        const [progress, completion] = await redis.mget(names.progress(job_id), names.completion(job_id));
        return {
          record: record as DocumentRecord,
          progress: progress ? readProgress(progress) : undefined,
          completion: completion ? readCompletion(completion) : undefined,
        };
      }),
    );
  } catch (error) {
    throw redisAway(error);
  }
}

function statusOf(
  document_id: string,
  { record, completion, progress }: Known,
  stored: StoredDocument | undefined,
): DocumentStatus | undefined {
  const { title, source, metadata, digest } = stored ?? {};
  const inStore =
    digest === undefined ? {} : { title, source, metadata, chunks: readStoredDigest(digest).chunks };
  if (!record) return stored && { document_id, state: "indexed", ...inStore };

  const { job_id } = record;
  const submitted_at = Number(record.submitted_at);
  const finished_at = completion && submitted_at + elapsed(completion);
  if (completion?.status === "ok") {
    if (!stored) return undefined;
    // Put there by another after a deletion: nothing is known of when.
    const job = record.operation === "put" ? { job_id, submitted_at, finished_at } : {};
    return { document_id, state: "indexed", ...inStore, ...job };
  }
  const wanted = { document_id, ...inStore, ...describedBy(record), job_id, submitted_at };
  if (progress) return { ...wanted, state: "indexing", progress };
  if (completion) {
    const { code, message } = completion;
    return { ...wanted, state: "failed", error: { code, message }, finished_at };
  }
  return { ...wanted, state: record.operation === "delete" ? "deleting" : "queued" };
}

/** What its upload said of it. */
function describedBy({ title, source, metadata }: DocumentRecord): Partial<DocumentStatus> {
  return {
    ...(title !== undefined && { title }),
    ...(source !== undefined && { source }),
    ...(metadata !== undefined && { metadata: JSON.parse(metadata) }),
  };
}

function readProgress(text: string): { done: number; total: number } {
  const [done, total] = text.split("/").map(Number);
  return { done: done ?? 0, total: total ?? 0 };
}

/** A foreign worker may have written it. */
function readCompletion(text: string): Completion | undefined {
  try {
    const completion: unknown = JSON.parse(text);
    return completions.message.check(completion) ? completion : undefined;
  } catch {
    return undefined;
  }
}

/** From acceptance to the end, ms. */
function elapsed({ timings }: Completion): number {
  return Math.round(Object.values(timings).reduce((sum, { waited, worked }) => sum + waited + worked, 0));
}
