/** What a receiver is told: how a job ended, as `GET /jobs/:id` would say it. */
import { type Completion, type JobEnded, queryAnswer } from "#contracts";

const STATES = { error: "failed", expired: "expired", cancelled: "cancelled" } as const;

/** @param completed_at epoch ms */
export function jobEnded(completion: Completion, completed_at: number): JobEnded {
  const data = endOf(completion);
  return { type: `job.${data.state}`, timestamp: new Date(completed_at).toISOString(), data };
}

function endOf(completion: Completion): JobEnded["data"] {
  const { job_id } = completion;
  if (completion.status === "ok") {
    return { job_id, state: "done", ...("answer" in completion && { result: queryAnswer(completion) }) };
  }
  const { status, code, message } = completion;
  const told = status === "expired" ? "deadline_exceeded" : code;
  return { job_id, state: STATES[status], error: { code: told, message } };
}
