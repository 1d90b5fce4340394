import { expect, test } from "bun:test";
import { Slots } from "../../../apps/mock-llm/slots.ts";

const never = new AbortController().signal;

test("so many get in at once, the others in order as slots come free", async () => {
  const slots = new Slots(2);
  const entered: number[] = [];
  const all = [1, 2, 3, 4].map((n) => slots.acquire(never).then(() => entered.push(n)));
  await Promise.all(all.slice(0, 2));
  expect(slots).toMatchObject({ in_flight: 2, waiting: 2 });
  expect(entered).toEqual([1, 2]);
  slots.release();
  await all[2];
  expect(entered).toEqual([1, 2, 3]);
  for (let i = 0; i < 3; i++) slots.release();
  await all[3];
  expect(slots).toMatchObject({ in_flight: 0, waiting: 0 });
});

test("whoever leaves while waiting loses its place, and nobody else's", async () => {
  const slots = new Slots(1);
  await slots.acquire(never);
  const impatient = new AbortController();
  const left = slots.acquire(impatient.signal);
  const stayed = slots.acquire(never);
  impatient.abort(new Error("left"));
  await expect(left).rejects.toThrow("left");
  expect(slots.waiting).toBe(1);
  slots.release();
  await stayed;
  expect(slots).toMatchObject({ in_flight: 1, waiting: 0 });
});

test("whoever has left already does not get in", async () => {
  await expect(new Slots(1).acquire(AbortSignal.abort(new Error("gone")))).rejects.toThrow("gone");
});
