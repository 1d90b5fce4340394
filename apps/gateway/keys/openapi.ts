/** What the OpenAPI document says of keys: how they are sent, and what a request is told whose key does not let it in. */
import { ChatError, ErrorBody } from "#contracts";

/** @param keyed whether a key is needed; without it the schemes are shown, and none is asked for. */
export function keyScheme(keyed: boolean) {
  const security: Record<string, string[]>[] = [{ bearer: [] }, { api_key: [] }];
  if (!keyed) security.push({});
  return {
    security,
    components: {
      securitySchemes: {
        bearer: { type: "http" as const, scheme: "bearer", description: "An API key: `rk_...`" },
        api_key: {
          type: "apiKey" as const,
          in: "header",
          name: "X-API-Key",
          description: "The same key, for clients that cannot set Authorization",
        },
      },
    },
  };
}

/** Responses of an operation that needs a key; under /v1 they are of OpenAI's shape. */
export function keyErrors(path: string) {
  const schema = path.startsWith("/v1/") ? ChatError : ErrorBody;
  const content = { "application/json": { schema } };
  return {
    401: { description: "No API key, or one that is not known", content },
    429: {
      description: "The key is past its limits, or too many unknown ones came from the address",
      content,
    },
  };
}
