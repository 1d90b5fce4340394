/** Swagger UI, in a real browser that reaches nothing but the gateway. */
import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { type Browser, chromium } from "playwright-core";
import { startLine, type TestLine } from "../support/line.ts";

setDefaultTimeout(60_000);

const executablePath = Bun.which("chromium") ?? Bun.which("chromium-browser") ?? Bun.which("google-chrome");
const withBrowser = executablePath ? test : test.skip;
if (!executablePath)
  console.warn("SKIPPED: no Chromium is installed, so Swagger UI is not looked at in a browser");

let line: TestLine;
let browser: Browser;

beforeAll(async () => {
  line = await startLine({ documents: ["corpus/machine-learning.md"] });
  if (executablePath) browser = await chromium.launch({ executablePath, args: ["--no-sandbox"] });
});
afterAll(async () => {
  await browser?.close();
  await line.stop();
});

withBrowser("shows the query route and answers its example, offline", async () => {
  const page = await browser.newPage();
  const outside: string[] = [];
  await page.route("**/*", (route) => {
    if (route.request().url().startsWith(line.url) || route.request().url().startsWith("data:"))
      return route.continue();
    outside.push(route.request().url());
    return route.abort();
  });
  await page.goto(`${line.url}/swagger`);
  await page.click("#operations-query-postQuery .opblock-summary-control");
  const example = await page.inputValue("#operations-query-postQuery textarea");
  expect(JSON.parse(example)).toEqual({ query: "What is machine learning?", top_k: 3 });
  await page.click("#operations-query-postQuery .execute");
  const answered = page.locator("#operations-query-postQuery .live-responses-table .response");
  await answered.locator(".response-col_status", { hasText: "200" }).waitFor();
  expect(await answered.locator(".response-col_description").textContent()).toContain("machine-learning.md");
  expect(outside).toEqual([]);
});

test("the OpenAPI document names every route and every schema", async () => {
  const document = await (await fetch(`${line.url}/openapi.json`)).json();
  expect(Object.keys(document.paths).sort()).toEqual([
    "/documents",
    "/documents/{id}",
    "/documents/{id}/passages",
    "/health",
    "/jobs",
    "/jobs/{id}",
    "/jobs/{id}/events",
    "/metrics",
    "/query",
    "/ready",
    "/v1/chat/completions",
    "/v1/embeddings",
    "/v1/models",
    "/v1/models/{model}",
  ]);
  const { requestBody, responses } = document.paths["/query"].post;
  expect(Object.keys(requestBody.content)).toEqual(["application/json"]);
  expect(Object.keys(responses)).toEqual([
    "200",
    "400",
    "408",
    "409",
    "413",
    "415",
    "422",
    "429",
    "500",
    "502",
    "503",
    "504",
  ]);
  const upload = document.paths["/documents"].post;
  expect(Object.keys(upload.requestBody.content)).toEqual(["application/json", "multipart/form-data"]);
  expect(Object.keys(upload.responses)).toEqual([
    "202",
    "400",
    "408",
    "413",
    "415",
    "422",
    "429",
    "500",
    "503",
  ]);
});
