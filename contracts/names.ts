/** Every key and channel in Redis. `prefix` (`REDIS_PREFIX`) lets several lines share one Redis. */
export function redisNames(prefix = "") {
  return {
    /** What all of them begin with, for scripts that make names themselves. */
    prefix: () => prefix,
    /** List of JSON messages: LPUSH in, taken from the right; its LLEN is the depth, but for what waits in lanes. */
    queue: (queue: string) => `${prefix}${queue}`,
    /** List of a tenant's messages that wait for its turn, where those of several do: see `packages/queue/lua/lanes.lua`. */
    lane: (queue: string, tenant: string) => `${prefix}${queue}:lane:${tenant}`,
    /** List of what one consumer holds now. */
    processing: (queue: string, consumer: string) => `${prefix}${queue}:processing:${consumer}`,
    /** List of messages of dead consumers, taken one at a time. */
    retry: (queue: string) => `${prefix}${queue}:retry`,
    /** Sorted set of messages that wait out a backoff, by due time. */
    delayed: (queue: string) => `${prefix}${queue}:delayed`,
    /** Sorted set of consumer ids by the time at which their lease ends. */
    consumers: (queue: string) => `${prefix}${queue}:consumers`,
    /** Hash: digest of a message to how often it was returned. */
    deliveries: (queue: string) => `${prefix}${queue}:deliveries`,
    /** List of dead letters. */
    dead: (queue: string) => `${prefix}${queue}:dead`,
    /** String: a job's completion. */
    completion: (job_id: string) => `${prefix}job:completion:${job_id}`,
    /** Hash: what is pushed to another queue when a job is completed; the scripts that complete jobs know it. */
    successor: (job_id: string) => `${prefix}job:completion:${job_id}:then`,
    /** Channel: ids of the completed jobs of one gateway. */
    done: (gateway: string) => `${prefix}job:done:${gateway}`,
    /** Stream: a job's answer as it comes, for a job that asks for it; see `TokenEntry`. */
    tokens: (job_id: string) => `${prefix}job:tokens:${job_id}`,
    /** Stream that wakes a gateway which waits for tokens: an entry names, in its one field `jobs`, which of its jobs' have grown, as JSON. */
    tokensWake: (gateway: string) => `${prefix}job:tokens_wake:${gateway}`,
    /** String: an answer that is kept, by the digest of all that it depends on; see `KeptAnswer`. */
    answer: (digest: string) => `${prefix}answer:${digest}`,
    /** String: an accepted job, for as long as it is on the line or its completion lives. */
    accepted: (job_id: string) => `${prefix}job:accepted:${job_id}`,
    /** String: the job that was accepted under an idempotency key. */
    seen: (key: string) => `${prefix}job:seen:${key}`,
    /** Stream: ids of jobs that are not to be done any more, each until its deadline has passed. */
    cancelled: () => `${prefix}job:cancelled`,
    /** Hash: what is known of an uploaded or deleted document, and its newest job. */
    document: (tenant: string, document_id: string) =>
      `${prefix}document:${encodeURIComponent(tenant)}:${document_id}`,
    /** Sorted set of the ids of a tenant's documents that have such a hash, all with score 0: in order of bytes. */
    documents: (tenant: string) => `${prefix}documents:${encodeURIComponent(tenant)}`,
    /** String: the job that works on a document now; no other may, while it lives. */
    turn: (tenant: string, document_id: string) =>
      `${prefix}document:turn:${encodeURIComponent(tenant)}:${document_id}`,
    /** String: chunks embedded, of all, while a job is worked on: `64/210`. */
    progress: (job_id: string) => `${prefix}document:progress:${job_id}`,
    /** Hash: vectors of questions that one model made, by digest. */
    vectors: (model: string) => `${prefix}encoder:vectors:${model}`,
    /** Sorted set of those digests, by when they were kept. */
    vectorsKept: (model: string) => `${prefix}encoder:vectors_kept:${model}`,
    /** String: jobs in flight on a replica; `0` or absent when idle. */
    load: (url: string) => `${prefix}llm:load:${url}`,
    /** Sorted set behind that number: job id by the deadline of its lease. */
    inflight: (url: string) => `${prefix}llm:inflight:${url}`,
    /** Hash: what an API key may do, by the SHA-256 of its secret, in hex. */
    apiKey: (digest: string) => `${prefix}api_key:${digest}`,
    /** Hash: what an API key has used of its limits. */
    apiKeyUse: (digest: string) => `${prefix}api_key:use:${digest}`,
    /** Hash: the public id of each API key to its digest. */
    apiKeys: () => `${prefix}api_keys`,
    /** Channel: id of the job that has waited longest for a place, when a replica has one free. */
    freed: () => `${prefix}llm:freed`,
  };
}
export type RedisNames = ReturnType<typeof redisNames>;
