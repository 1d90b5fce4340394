/**
 * What the answers must keep: `--slo p99=2000ms,ttft=300ms`. Of every hundred requests, so many must have
 * been answered within a time; one that failed was not. A good answer keeps every limit, and goodput is
 * good answers per second.
 */
import { parseDuration, parseRate, parseShare } from "./quantity.ts";

/** Latency of the whole answer, time to its first token, longest wait between two of its tokens. */
export type Measure = "latency" | "ttft" | "gap";

export interface Objective {
  /** As it was written: `p99` or `ttft`. */
  readonly name: string;
  readonly measure: Measure;
  readonly limit_ms: number;
  /** Share of requests that must keep the limit. */
  readonly wanted: number;
}

export interface Slo {
  readonly objectives: readonly Objective[];
  /** With it, goodput alone decides: good answers a second, or as a share of all requests. */
  readonly goodput?: { readonly rps: number } | { readonly share: number };
}

/** What one answer took; a measure that it did not have is `undefined`. */
export type Measured = { readonly [M in Measure]?: number };

const DEFAULT_PERCENT = 99;

/** @throws Error that says what the text may be. */
export function parseSlo(text: string): Slo {
  const objectives: Objective[] = [];
  let goodput: Slo["goodput"];
  for (const part of text.split(",")) {
    const [name = "", value = "", ...more] = part.trim().split("=");
    if (more.length > 0) throw new Error(`"${part}" has more than one =`);
    if (name === "goodput") goodput = parseGoodput(value);
    else objectives.push(parseObjective(name, value));
  }
  if (objectives.length === 0)
    throw new Error("goodput needs a limit that makes an answer good, as p99=2000ms");
  return goodput ? { objectives, goodput } : { objectives };
}

function parseObjective(name: string, value: string): Objective {
  const [, measure, percent] = /^(?:(latency|ttft|gap)(?:-p|$)|p(?=\d))(\d+(?:\.\d+)?)?$/.exec(name) ?? [];
  const share = Number(percent ?? DEFAULT_PERCENT) / 100;
  if ((!measure && !percent) || name.endsWith("-p") || share <= 0 || share > 1)
    throw new Error(`"${name}" is none of p99, latency, ttft, gap, ttft-p95, gap-p95, goodput`);
  const limit_ms = parseDuration(value);
  if (limit_ms === undefined) throw new Error(`${name} takes a time such as 300ms or 2s, not "${value}"`);
  return { name, measure: (measure ?? "latency") as Measure, limit_ms, wanted: share };
}

function parseGoodput(value: string): NonNullable<Slo["goodput"]> {
  const share = parseShare(value);
  if (share !== undefined) return { share };
  const rps = parseRate(value);
  if (rps !== undefined) return { rps };
  throw new Error(`goodput takes answers per second such as 45/s, or a share such as 90%, not "${value}"`);
}

/** How often each objective was kept, and how many answers were good. */
export class SloCount {
  readonly slo: Slo;
  readonly #kept: number[];
  #good = 0;
  #all = 0;

  constructor(slo: Slo) {
    this.slo = slo;
    this.#kept = slo.objectives.map(() => 0);
  }

  /** @param measured `undefined` for a request that was not answered. */
  add(measured: Measured | undefined): void {
    this.#all++;
    if (!measured) return;
    let good = true;
    this.slo.objectives.forEach(({ measure, limit_ms }, i) => {
      if ((measured[measure] ?? Infinity) <= limit_ms) this.#kept[i]!++;
      else good = false;
    });
    if (good) this.#good++;
  }

  /** Of nothing, nothing is met. */
  result(elapsed_ms: number): SloResult {
    const share = (count: number) => (this.#all === 0 ? 0 : count / this.#all);
    const objectives = this.slo.objectives.map((objective, i) => {
      const kept = share(this.#kept[i]!);
      return { ...objective, kept, met: kept >= objective.wanted };
    });
    const goodput_rps = elapsed_ms > 0 ? this.#good / (elapsed_ms / 1_000) : 0;
    const goodput_share = share(this.#good);
    const wanted = this.slo.goodput;
    const met = !wanted
      ? objectives.every((objective) => objective.met)
      : "rps" in wanted
        ? goodput_rps >= wanted.rps
        : goodput_share >= wanted.share;
    return { met, good: this.#good, goodput_rps, goodput_share, goodput_wanted: wanted ?? null, objectives };
  }
}

export interface SloResult {
  readonly met: boolean;
  readonly good: number;
  readonly goodput_rps: number;
  /** Of all requests but those broken off on purpose. */
  readonly goodput_share: number;
  readonly goodput_wanted: NonNullable<Slo["goodput"]> | null;
  readonly objectives: readonly (Objective & { readonly kept: number; readonly met: boolean })[];
}
