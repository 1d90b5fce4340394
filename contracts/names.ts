/** Every key and channel in Redis. `prefix` (`REDIS_PREFIX`) lets several lines share one Redis. */
export function redisNames(prefix = "") {
  return {
    /** List of JSON messages: LPUSH in, taken from the right; its LLEN is the depth. */
    queue: (queue: string) => `${prefix}${queue}`,
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
    /** Channel: ids of the completed jobs of one gateway. */
    done: (gateway: string) => `${prefix}job:done:${gateway}`,
    /** String: the job that was accepted under a key. */
    seen: (key: string) => `${prefix}job:seen:${key}`,
    /** Channel: ids of jobs that nobody waits for any more. */
    cancel: () => `${prefix}job:cancel`,
    /** Hash: vectors of questions that one model made, by digest. */
    vectors: (model: string) => `${prefix}encoder:vectors:${model}`,
    /** Sorted set of those digests, by when they were kept. */
    vectorsKept: (model: string) => `${prefix}encoder:vectors_kept:${model}`,
    /** String: jobs in flight on a replica; `0` or absent when idle. */
    load: (url: string) => `${prefix}llm:load:${url}`,
    /** Sorted set behind that number: job id by the deadline of its lease. */
    inflight: (url: string) => `${prefix}llm:inflight:${url}`,
  };
}
export type RedisNames = ReturnType<typeof redisNames>;
