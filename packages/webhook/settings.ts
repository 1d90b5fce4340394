/** Settings of both who takes webhooks and who sends them. */
import { Type } from "@sinclair/typebox";
import { type Network, parseNetworks } from "./networks.ts";

export const webhookSettings = {
  WEBHOOK_SECRET: Type.Optional(
    Type.String({
      pattern: "^whsec_[A-Za-z0-9+/]{32,86}={0,2}$",
      description:
        "Signs webhooks whose jobs bring no secret: `whsec_` and 24 to 64 random bytes in base64. All tenants share it: leave it empty where they must not speak in each other's name",
    }),
  ),
  WEBHOOK_ALLOW_PRIVATE: Type.Array(Type.String(), {
    default: [],
    description:
      "Networks that are not public and that webhooks may reach all the same, with commas between: `10.1.2.0/24,fd00:1::/64`. Whoever may ask may then POST to what listens there",
  }),
};

/** The networks of WEBHOOK_ALLOW_PRIVATE, for the main of an app: a bad one is one line on stderr and exit code 2. */
export function networksOrExit({ WEBHOOK_ALLOW_PRIVATE }: { WEBHOOK_ALLOW_PRIVATE: string[] }): Network[] {
  try {
    return parseNetworks(WEBHOOK_ALLOW_PRIVATE);
  } catch {
    const given = WEBHOOK_ALLOW_PRIVATE.join(",");
    console.error(`WEBHOOK_ALLOW_PRIVATE is "${given}": expected networks, such as 10.1.2.0/24,fd00:1::/64`);
    process.exit(2);
  }
}
