/**
 * The callers of a run: a fixed number of them ask one question after the other, and note what they are told.
 *
 * A question's life here:
 * 1. Its turn comes: faults that are due are begun first.
 * 2. It is asked, as often as it takes, until it is `told`; or its client hangs up.
 */
import type { Question } from "./question.ts";
import type { Told } from "./told.ts";

const CALLERS = 200;

export interface Asking {
  /** Ends all waiting. */
  readonly signal: AbortSignal;
  /** To be called each time that a caller is refused, or its connection breaks. */
  readonly refused: () => void;
}

/** Rejects only when the signal fires. */
export type Ask = (question: Question, asking: Asking) => Promise<Told>;

export interface CallersOptions {
  /** How many ask at once. */
  readonly callers?: number;
  readonly questions: readonly Question[];
  readonly ask: Ask;
  /** Called before each question, with how many came before it; it is sent when this resolves. */
  readonly turn: (asked: number) => Promise<void>;
  readonly signal: AbortSignal;
}

export class Callers {
  /** By marker. */
  readonly told = new Map<string, Told>();
  /** How often a caller was refused, most of whom then asked again. */
  again = 0;
  /** When something was last told, as `performance.now()` has it. */
  progress_at = performance.now();
  #asked = 0;

  constructor(private readonly options: CallersOptions) {}

  /** Resolves when every question is told, or the signal fires. */
  async ask(): Promise<void> {
    await Promise.all(Array.from({ length: this.options.callers ?? CALLERS }, () => this.#caller()));
  }

  async #caller(): Promise<void> {
    const { questions, ask, turn, signal } = this.options;
    const refused = () => this.again++;
    while (this.#asked < questions.length && !signal.aborted) {
      const n = this.#asked++;
      const question = questions[n]!;
      await turn(n);
      try {
        signal.throwIfAborted();
        this.told.set(question.marker, await ask(question, { signal, refused }));
        this.progress_at = performance.now();
      } catch (error) {
        if (!signal.aborted) throw error;
      }
    }
  }
}
