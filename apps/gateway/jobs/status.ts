/** What has become of a job. */
import { type JobStatus, queryAnswer, queues } from "#contracts";
import type { AcceptedJob, CompletionWaiter, JobPlaces } from "#queue";
import { answered } from "../ask.ts";
import { HttpError } from "../http-error.ts";

export interface JobSources {
  readonly waiter: CompletionWaiter;
  readonly places: JobPlaces;
}

const STAGES: Record<string, string> = {
  [queues.encoderIn.name]: "encoder",
  [queues.retrieverIn.name]: "retriever",
  [queues.llmIn.name]: "llm",
};

/** Rejects as the connection does. */
export async function jobStatus({ waiter, places }: JobSources, job: AcceptedJob): Promise<JobStatus> {
  const { job_id, deadline, tenant } = job;
  const about = { job_id, deadline };
  const place = (await ended()) ?? (await places.find(job_id, tenant));
  if ("state" in place) return place;
  // Between the two looks it may have left the line.
  if (place.kind === "moving") return (await ended()) ?? lost();
  const stage = STAGES[place.queue];
  return place.kind === "held"
    ? { ...about, state: "working", stage }
    : { ...about, state: "queued", stage, position: place.position };

  async function ended(): Promise<JobStatus | undefined> {
    const completion = await waiter.get(job_id);
    if (!completion) return undefined;
    // GET /documents/:id says more; a vector was given to whoever asked for it.
    if ("document_id" in completion || "embedding" in completion) return { ...about, state: "done" };
    try {
      return { ...about, state: "done", result: queryAnswer(answered(completion)) };
    } catch (error) {
      if (!(error instanceof HttpError)) throw error;
      const { code, message } = error;
      const state =
        completion.status === "expired" || completion.status === "cancelled" ? completion.status : "failed";
      return { ...about, state, error: { code, message } };
    }
  }

  function lost(): JobStatus {
    if (Date.now() < deadline) return { ...about, state: "working" };
    const message = "the deadline has passed, or its answer is no longer kept";
    return { ...about, state: "expired", error: { code: "deadline_exceeded", message } };
  }
}
