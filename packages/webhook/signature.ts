/** Signatures as Standard Webhooks has them, so that receivers verify them with its libraries. */
import { createHmac } from "node:crypto";

const PREFIX = "whsec_";

export interface Signed {
  /** The same for each try to deliver the same thing. */
  readonly id: string;
  /** Of this try, epoch seconds: receivers refuse old ones. */
  readonly timestamp: number;
  readonly body: string;
}

/** @param secret `whsec_` and base64. */
export function signedHeaders(secret: string, { id, timestamp, body }: Signed): Record<string, string> {
  const key = Buffer.from(secret.slice(PREFIX.length), "base64");
  const signature = createHmac("sha256", key).update(`${id}.${timestamp}.${body}`).digest("base64");
  return {
    "webhook-id": id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": `v1,${signature}`,
  };
}
