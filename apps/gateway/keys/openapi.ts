/** What the OpenAPI document says of keys: how they are sent, and what a request is told whose key does not let it in. */
import { ErrorBody } from "#contracts";

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

interface Operation {
  security?: unknown[];
  responses?: Record<string, object>;
}

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"];
const ERRORS = { "401": "No API key, or one that is not known", "429": "The key is past its limits" };

/** Adds 401 and 429 to every operation that needs a key. */
export function withKeyErrors<D extends { paths?: Record<string, Record<string, Operation>> }>(
  document: D,
): D {
  for (const path of Object.values(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation || operation.security?.length === 0) continue;
      operation.responses ??= {};
      for (const [status, description] of Object.entries(ERRORS)) {
        operation.responses[status] ??= {
          description,
          content: { "application/json": { schema: ErrorBody } },
        };
      }
    }
  }
  return document;
}
