/** The same clock in every process of this machine, finer than a millisecond. Epoch ms. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}
