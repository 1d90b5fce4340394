/**
 * Being told how a job ended. What is sent follows Standard Webhooks:
 * https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
import { type Static, Type } from "@sinclair/typebox";

export const Webhook = Type.Object(
  {
    url: Type.String({
      minLength: 1,
      maxLength: 2_048,
      description: "http or https, without credentials, at a public address",
    }),
    secret: Type.Optional(
      Type.String({
        pattern: "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$",
        description:
          "Signs what is sent: `whsec_` and 24 to 64 random bytes in base64. Needed unless the gateway has WEBHOOK_SECRET",
      }),
    ),
  },
  {
    additionalProperties: false,
    description: "Where to POST how the job ended",
    example: {
      url: "https://example.com/ragline",
      secret: "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    },
  },
);
export type Webhook = Static<typeof Webhook>;
