/**
 * A container's health check, as its image has no curl: exit code 0 if URL answers with a 2xx in time.
 *   bun scripts/healthcheck.ts URL
 */
export {}; // a module, which may await at its top level

const ANSWER_MS = 3_000;

const [url] = process.argv.slice(2);
try {
  if (!url) throw new Error("which URL? Give one, such as http://127.0.0.1:9100/ready");
  const response = await fetch(url, { signal: AbortSignal.timeout(ANSWER_MS) });
  if (!response.ok) throw new Error(`${url} answers ${response.status}: ${await response.text()}`);
} catch (error) {
  console.error((error as Error).message);
  process.exit(1);
}
