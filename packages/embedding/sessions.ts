/**
 * Spreads the model's work over the cores:
 *
 * 1. A batch that is alone has all of them: its inference is spread over all threads, which is quickest for it.
 * 2. Several batches are worked on side by side, each on threads of its own: a third more texts a second on two cores, since
 *    spreading costs work, and the parts wait for each other after every operator.
 *
 * The sessions for 2. start with the first need (a quarter of a second), and until then 1. does their work, too: a
 * program that embeds one text now and then keeps the model in memory only once.
 */
import { type Encoded, Session, type SessionOrder, type Texts } from "./session.ts";

/** Each holds the model (90 MB in fp32), so on many cores each gets several threads instead. */
const MOST_SIDE_BY_SIDE = 4;

interface Waiting {
  readonly texts: Texts;
  resolve(encoded: Encoded | Promise<Encoded>): void;
  reject(error: unknown): void;
}

export class Sessions {
  /** How many batches are worked on at once, if there are so many. */
  readonly side_by_side: number;
  readonly #waiting: Waiting[] = [];
  readonly #others: Session[] = [];
  #started: Promise<void> | undefined;
  #running = 0;

  private constructor(
    private readonly order: SessionOrder,
    private readonly spread: Session,
  ) {
    this.side_by_side = Math.min(order.threads, MOST_SIDE_BY_SIDE);
  }

  /** @throws Error if the file is not there or is no model. */
  static async start(order: SessionOrder): Promise<Sessions> {
    return new Sessions(order, await Session.start(order));
  }

  encode(texts: Texts): Promise<Encoded> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ texts, resolve, reject });
      // Not at once: whether it is alone is known when the caller has said all.
      queueMicrotask(() => this.#work());
    });
  }

  /** Resolves when what is at work is done and the threads have gone; what waits is never answered. */
  async close(): Promise<void> {
    this.#waiting.length = 0;
    await this.#started;
    await Promise.all([this.spread, ...this.#others].map((session) => session.close()));
  }

  #work(): void {
    while (this.#waiting.length > 0 && this.#running < this.side_by_side) {
      const session = this.#free();
      if (!session) return;
      this.#run(session, this.#waiting.shift()!);
    }
  }

  #free(): Session | undefined {
    const alone = this.#running === 0 && this.#waiting.length === 1;
    if (!alone && this.side_by_side > 1) this.#started ??= this.#startOthers();
    if (alone || this.#others.length === 0) return this.spread.busy ? undefined : this.spread;
    return this.#others.find((session) => !session.busy);
  }

  async #run(session: Session, { texts, resolve, reject }: Waiting): Promise<void> {
    this.#running++;
    try {
      resolve(await session.encode(texts));
    } catch (error) {
      reject(error);
    }
    this.#running--;
    this.#work();
  }

  /** If one fails, the work goes on as it went until then. */
  async #startOthers(): Promise<void> {
    const order = { ...this.order, threads: Math.floor(this.order.threads / this.side_by_side) };
    const starts = Array.from({ length: this.side_by_side }, () => Session.start(order));
    const started = (await Promise.allSettled(starts)).flatMap((start) => {
      return start.status === "fulfilled" ? [start.value] : [];
    });
    this.#others.push(...started);
    this.#work();
  }
}
