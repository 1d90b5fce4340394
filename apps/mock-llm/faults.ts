import type { MockLlmSettings } from "./config.ts";

export type Fault = "failure" | "hang" | "cut" | "garbage";

/** How one generation will go. */
export interface Fate {
  readonly fault?: Fault;
  /** To the first token, ms. */
  readonly delay_ms: number;
}

/**
 * Draws fates from a seed. Every fate takes two draws, whatever comes of it, so that changing one rate moves
 * no other fault. One draw decides among the faults, so they exclude each other; where the rates add up to more than
 * 1, the first in the order of `Fault` win.
 */
export class Fates {
  readonly #random: () => number;

  constructor(private readonly settings: MockLlmSettings) {
    this.#random = mulberry32(settings.MOCK_SEED);
  }

  next(): Fate {
    const { MOCK_DELAY_MS, MOCK_JITTER_MS } = this.settings;
    const fault = this.#fault(this.#random());
    return { fault, delay_ms: MOCK_DELAY_MS + this.#random() * MOCK_JITTER_MS };
  }

  #fault(draw: number): Fault | undefined {
    const rates: Record<Fault, number> = {
      failure: this.settings.MOCK_FAILURE_RATE,
      hang: this.settings.MOCK_HANG_RATE,
      cut: this.settings.MOCK_CUT_RATE,
      garbage: this.settings.MOCK_GARBAGE_RATE,
    };
    let below = 0;
    for (const [fault, rate] of Object.entries(rates)) {
      below += rate;
      if (draw < below) return fault as Fault;
    }
  }
}

/** Tommy Ettinger's mulberry32: 0 to 1, evenly, the same for the same seed. */
function mulberry32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
