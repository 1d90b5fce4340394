/** Quantities as people write them on a command line. Each reads the whole text, or gives `undefined`. */

const UNIT_MS = { ms: 1, s: 1_000, m: 60_000 } as const;

/** `300ms`, `2s`, `1.5m`, in milliseconds; above 0. A bare number is refused: nobody knows its unit. */
export function parseDuration(text: string): number | undefined {
  const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text) ?? [];
  if (number === undefined) return undefined;
  const duration_ms = Number(number) * UNIT_MS[unit as keyof typeof UNIT_MS];
  return duration_ms > 0 ? duration_ms : undefined;
}

/** `20%` as 0.2; from 0 to 100. */
export function parseShare(text: string): number | undefined {
  const [, number] = /^(\d+(?:\.\d+)?)%$/.exec(text) ?? [];
  const share = Number(number) / 100;
  return share <= 1 ? share : undefined;
}

/** `50`, `0.5` or `50/s`, per second; 0 or more. */
export function parseRate(text: string): number | undefined {
  const [, number] = /^(\d+(?:\.\d+)?)(?:\/s)?$/.exec(text) ?? [];
  return number === undefined ? undefined : Number(number);
}
