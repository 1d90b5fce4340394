/**
 * GET /openapi.json against the OpenAPI Initiative's own schema of 3.0 documents: `openapi-3.0.schema.json` is
 * https://spec.openapis.org/oas/3.0/schema/2021-09-28, Apache-2.0.
 */
import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { startKeyedGateways } from "../../support/keyed.ts";

setDefaultTimeout(30_000);

/** Draft-04, in the one place where Ajv's later drafts differ from it. */
const { $schema, id, ...schema } = JSON.parse(
  readFileSync(`${import.meta.dir}/openapi-3.0.schema.json`, "utf8"),
  (name, value) => (name === "exclusiveMinimum" && value === true ? 0 : value),
);
const validate = new Ajv({ strict: false, allErrors: true, validateFormats: false }).compile(schema);

interface Document {
  readonly components: { readonly securitySchemes: object };
  readonly security: readonly object[];
  readonly paths: Record<
    string,
    Record<string, { readonly security?: readonly object[]; readonly responses: Record<string, object> }>
  >;
}

test.each(["true", "false"])("the document is valid OpenAPI 3.0, with API_KEYS=%s", async (API_KEYS) => {
  const gateways = await startKeyedGateways(1, { API_KEYS });
  const document: Document = await (await fetch(`${gateways.urls[0]}/openapi.json`)).json();
  await gateways.stop();
  validate(document);
  expect(validate.errors).toBeNull();
  expect(document.components.securitySchemes).toMatchObject({
    bearer: { type: "http", scheme: "bearer" },
    api_key: { type: "apiKey", in: "header", name: "X-API-Key" },
  });
  const keyed = API_KEYS === "true";
  expect(document.security).toEqual([{ bearer: [] }, { api_key: [] }, ...(keyed ? [] : [{}])]);
  const { "/v1/embeddings": embeddings, "/jobs": jobs } = document.paths;
  expect(Object.keys(embeddings!.post!.responses)).toContain("413");
  expect(JSON.stringify(embeddings)).toContain('"example":{"model":"all-MiniLM-L6-v2"');
  expect(JSON.stringify(jobs)).toContain("{$request.body#/webhook/url}");
  for (const [path, operations] of Object.entries(document.paths)) {
    for (const { security, responses } of Object.values(operations)) {
      const open = ["/health", "/ready"].includes(path);
      expect([path, security]).toEqual([path, open ? [] : undefined]);
      expect([path, "401" in responses]).toEqual([path, keyed && !open]);
      // Errors are shown as they are: of OpenAI's shape, or of the gateway's own.
      for (const [status, response] of Object.entries(responses)) {
        if (!/^[45]/.test(status) || open) continue;
        const shape = JSON.stringify(response);
        expect([path, status, shape.includes('"param"')]).toEqual([path, status, path.startsWith("/v1/")]);
      }
    }
  }
});

test("the schema tells a document that is not valid", () => {
  expect(
    validate({ openapi: "3.0.3", info: { title: "x", version: "1" }, paths: { "/x": { get: {} } } }),
  ).toBe(false);
});
