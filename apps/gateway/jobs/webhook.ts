/** What makes the line tell a job's end: its successor, which is kept with the job and pushed when it is completed. */
import { queues, type RedisNames, type Webhook, type WebhookIn } from "#contracts";
import type { AcceptedJob, Note } from "#queue";
import { type Network, readTarget, WebhookRefused } from "#webhook";
import type { Successor } from "../ask.ts";
import { HttpError } from "../http-error.ts";

export interface WebhookRules {
  readonly names: RedisNames;
  readonly allowed: readonly Network[];
  /** Whether there is a secret for webhooks that bring none. */
  readonly has_secret: boolean;
}

/** How long it is tried to deliver one, from the job's deadline on, ms. */
const DELIVERY_MS = 3_600_000;
/** A job that nobody works on is completed when somebody does again: told for so long after its deadline, ms. */
const KEPT_MS = 24 * 3_600_000;

/** Makes a note of each job that is admitted with this webhook. @throws HttpError 400 for one that will not be sent. */
export function successorOf(
  { names, allowed, has_secret }: WebhookRules,
  { url, secret }: Webhook,
): Successor {
  if (secret === undefined && !has_secret) {
    throw refused("a webhook needs a secret: `whsec_` and 24 to 64 random bytes in base64");
  }
  const { href } = target().url;
  return { digest: `${href} ${secret ?? ""}`, note };

  function note({ job_id, deadline, reply_to, tenant }: Omit<AcceptedJob, "digest">): Note {
    const delivery: Omit<WebhookIn, "completed_at" | "completion"> = {
      // Of its own: a job that is cancelled is told of, too.
      job_id: `${job_id}:webhook`,
      tenant,
      submitted_at: Date.now(),
      deadline: deadline + DELIVERY_MS,
      reply_to,
      timings: {},
      url: href,
      secret,
    };
    const message = JSON.stringify(delivery).slice(0, -1); // without its closing brace: the completion comes there
    const fields = { queue: names.queue(queues.webhookIn.name), message };
    return { key: names.successor(job_id), fields, ttl_ms: deadline - Date.now() + KEPT_MS };
  }

  function target() {
    try {
      return readTarget(url, allowed);
    } catch (error) {
      throw error instanceof WebhookRefused ? refused(error.message) : error;
    }
  }
}

function refused(message: string): HttpError {
  return new HttpError(400, "invalid_webhook", message);
}
