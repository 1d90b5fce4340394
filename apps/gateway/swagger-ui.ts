/**
 * Swagger UI at `/swagger`, wholly from this process: the plugin writes the OpenAPI document, but its own page
 * loads scripts from a CDN and stays blank without one.
 */
import { dirname, join } from "node:path";
import { swagger } from "@elysiajs/swagger";
import { Elysia } from "elysia";
import { version } from "../../package.json";

const ASSETS = dirname(Bun.resolveSync("swagger-ui-dist/package.json", import.meta.dir));
const FILES = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

const page = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <title>Ragline API</title>
    <link rel="stylesheet" href="/swagger/swagger-ui.css">
    <link rel="icon" href="/swagger/favicon-32x32.png">
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="/swagger/swagger-ui-bundle.js"></script>
    <script>
      SwaggerUIBundle({ url: "/openapi.json", dom_id: "#swagger-ui", tryItOutEnabled: true });
    </script>
  </body>
</html>
`;

export function swaggerUi() {
  const plugin = swagger({
    provider: "swagger-ui",
    path: "/swagger/plugin",
    specPath: "/swagger/plugin/json",
    exclude: [/^\/swagger/],
    documentation: {
      info: {
        title: "Ragline",
        version,
        description: "Questions over your own documents, answered with sources.",
      },
    },
  });
  const app = new Elysia({ name: "swagger-ui" })
    .use(plugin)
    .get("/swagger", () => new Response(page, { headers: { "content-type": "text/html; charset=utf-8" } }), {
      detail: { hide: true },
    })
    .get(
      "/openapi.json",
      async () => {
        const written = await plugin.handle(new Request("http://gateway/swagger/plugin/json"));
        return JSON.parse(await written.text(), asServed);
      },
      { detail: { hide: true } },
    );
  for (const file of FILES) {
    app.get(`/swagger/${file}`, () => new Response(Bun.file(join(ASSETS, file))), { detail: { hide: true } });
  }
  return app;
}

/**
 * JSON is all that is taken and given here, but for a form that has a schema of its own and what says that it is of
 * another media type; and OpenAPI 3.0 has no `patternProperties`. For `JSON.parse`.
 */
function asServed(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if ("application/json" in value) {
    const { "application/json": json, "multipart/form-data": form } = value as Record<string, unknown>;
    const media = (json as { schema?: { contentMediaType?: string } }).schema?.contentMediaType;
    if (media) return { [media]: json };
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
  return value;
}
