/** A short run of `bun tests/apps/gateway/keys/fuzz.ts`. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { fuzz } from "./fuzz.ts";

setDefaultTimeout(60_000);

test("500 broken and hostile requests: no 5xx but the line's, no crash, nothing of another tenant", async () => {
  const { requests, statuses } = await fuzz(500);
  expect(requests).toBeGreaterThanOrEqual(500);
  // Some of them were sound: otherwise nothing was tried behind the first check.
  expect(statuses).toMatchObject({
    202: expect.any(Number),
    400: expect.any(Number),
    504: expect.any(Number),
  });
});
