import { expect, test } from "bun:test";
import { tracingChannel } from "node:diagnostics_channel";
import "#queue";

test("a tracing channel says whether anyone listens", () => {
  const channel = tracingChannel("ragline:test");
  const listener = { start() {}, end() {}, asyncStart() {}, asyncEnd() {}, error() {} };
  expect(channel.hasSubscribers).toBe(false);
  channel.subscribe(listener);
  expect(channel.hasSubscribers).toBe(true);
  channel.unsubscribe(listener);
  expect(channel.hasSubscribers).toBe(false);
});
