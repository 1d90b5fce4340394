/** The OpenAPI document as 3.0 has it: the plugin writes JSON Schema as TypeBox has it, and responses without words. */
import { STATUS_CODES } from "node:http";
import { keyErrors } from "./keys/openapi.ts";

export interface OpenApi {
  paths?: Record<string, Record<string, Operation>>;
}

interface Operation {
  security?: unknown[];
  responses?: Record<string, Response>;
}

interface Response {
  description?: string;
  headers?: object;
  content?: Record<string, { schema?: object; example?: unknown }>;
  /** Where the plugin puts a schema's. */
  example?: unknown;
}

const METHODS = ["get", "put", "post", "delete", "patch", "head", "options"] as const;

/** @param written by the plugin; @param keyed whether requests need an API key. */
export function openApi30(written: string, keyed: boolean): OpenApi {
  const document: OpenApi = JSON.parse(written, asServed);
  for (const [name, path] of Object.entries(document.paths ?? {})) {
    for (const method of METHODS) {
      const operation = path[method];
      if (!operation) continue;
      const of_keys =
        keyed && operation.security?.length !== 0
          ? JSON.parse(JSON.stringify(keyErrors(name)), asServed)
          : {};
      const responses: Record<string, Response> = { ...of_keys, ...(operation.responses ?? { 200: {} }) };
      operation.responses = Object.fromEntries(
        Object.entries(responses).map(([status, response]) => [status, described(status, response)]),
      );
    }
  }
  return document;
}

function described(status: string, { description, headers, content, example }: Response): Response {
  const said = description ?? STATUS_CODES[status] ?? "";
  const json = content?.["application/json"];
  if (json && example !== undefined) json.example ??= example;
  const empty = status === "204";
  return { description: said, ...(headers && { headers }), ...(content && !empty && { content }) };
}

/**
 * JSON is all that is taken and given here, but for a form that has a schema of its own and what says that it is of
 * another media type; and OpenAPI 3.0 has neither
 * `patternProperties` nor `const` nor `null`. For `JSON.parse`.
 */
function asServed(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("application/json" in value) {
    const { "application/json": json, "multipart/form-data": form } = value as Record<string, unknown>;
    const media = (json as { schema?: { contentMediaType?: string } }).schema?.contentMediaType;
    if (media) {
      const { contentMediaType: _, ...schema } = (json as { schema: { contentMediaType?: string } }).schema;
      return { [media]: { ...(json as object), schema } };
    }
    const own_form = form && !Bun.deepEquals(form, json);
    return { "application/json": json, ...(own_form ? { "multipart/form-data": form } : {}) };
  }
  if ("contentMediaType" in value && "content" in value) {
    const { content, description } = value as { content: object; description?: string };
    return { description, content }; // the plugin leaves the schema's words in the response too
  }
  if ("patternProperties" in value) {
    const { patternProperties, ...rest } = value;
    return { ...rest, additionalProperties: Object.values(patternProperties as object)[0] };
  }
  if ("type" in value && value.type === "null")
    return { ...value, type: "string", nullable: true, enum: [null] };
  if ("const" in value) {
    const { const: only, ...rest } = value;
    return { ...rest, enum: [only] };
  }
  return value;
}
