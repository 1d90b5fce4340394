/**
 * One try to deliver a webhook; the queue tries again, for as often and as long as it allows.
 *
 * What is sent again has the same `webhook-id`: a receiver that took it and was not heard gets it twice.
 */
import { createHash } from "node:crypto";
import type { DeliveryCompletion, WebhookIn } from "#contracts";
import { Fail, Retry } from "#queue";
import {
  addressOf,
  jobEnded,
  type Network,
  post,
  type Resolve,
  readTarget,
  signedHeaders,
  WebhookRefused,
} from "#webhook";

/** What came of a try. */
export type Delivery = "delivered" | "failed" | "gone" | "refused";

export interface DeliverOptions {
  readonly allowed: readonly Network[];
  /** Signs where the job brings no secret. */
  readonly secret?: string;
  readonly timeout_ms: number;
  readonly observe: (delivery: Delivery) => void;
  readonly resolve?: Resolve;
}

/** The receiver wants no more of this webhook. */
const GONE = 410;

/** A handler. @throws Retry for a receiver that may take it later; Fail for one that never will. */
export function deliverer({ allowed, secret, timeout_ms, observe, resolve }: DeliverOptions) {
  return async (
    { job_id, timings, url, secret: own = secret, completed_at, completion }: WebhookIn,
    { signal }: { readonly signal: AbortSignal },
  ): Promise<DeliveryCompletion> => {
    if (own === undefined) {
      observe("refused");
      throw new Fail("webhook_refused", "this webhook has no secret, and WEBHOOK_SECRET is not set here");
    }
    const body = JSON.stringify(jobEnded(completion, completed_at));
    const signed = { id: idOf(job_id), timestamp: Math.floor(Date.now() / 1_000), body };
    const headers = {
      "content-type": "application/json",
      "user-agent": "ragline",
      ...signedHeaders(own, signed),
    };
    const status = await send().catch((error) => {
      signal.throwIfAborted();
      if (!(error instanceof WebhookRefused)) throw later(`could not be reached: ${error.message}`);
      observe("refused");
      throw new Fail("webhook_refused", error.message);
    });
    if (status >= 200 && status < 300) {
      observe("delivered");
      return { job_id, timings, status: "ok", delivered: status };
    }
    if (status === GONE) {
      observe("gone");
      throw new Fail("webhook_gone", "the webhook's receiver wants no more of it: 410");
    }
    // Redirects too: where they lead was not checked, and may be moved after it was.
    throw later(`answered with status ${status}`);

    async function send(): Promise<number> {
      const late = AbortSignal.any([signal, AbortSignal.timeout(timeout_ms)]);
      const target = readTarget(url, allowed);
      const address = await before(late, addressOf(target, allowed, resolve));
      return await before(late, post(target, { address, headers, body, signal: late }));
    }

    function later(what: string): Retry {
      observe("failed");
      return new Retry(new Fail("webhook_failed", `the webhook's receiver ${what}`));
    }
  };
}

/** As the Standard has it; job ids are no secret of their receiver's. */
function idOf(job_id: string): string {
  return `msg_${createHash("sha256").update(job_id).digest("base64url").slice(0, 24)}`;
}

/** A look-up cannot be aborted: it is left to itself. */
function before<T>(late: AbortSignal, work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(late.reason);
    if (late.aborted) abort();
    late.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => late.removeEventListener("abort", abort));
  });
}
