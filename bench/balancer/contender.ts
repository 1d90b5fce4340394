/** One way to spread questions over replicas. */
export interface Contender {
  readonly name: string;
  /** Resolves when it takes questions. */
  start(replicas: readonly string[], slots: number): Promise<Front>;
}

export interface Front {
  /** Resolves with what went wrong once the whole answer is read; with nothing if it was good. */
  ask(query: string): Promise<string | undefined>;
  stop(): Promise<void>;
}

/** Longest that anybody waits for an answer, ms: the gateway's own limit. */
export const TIMEOUT_MS = 60_000;

/** POSTs a body and reads the whole answer; what went wrong, where the answer is not 200 or `good` refuses it. */
export async function post(url: string, body: object, good: (answer: string) => boolean) {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer = await response.text();
    if (response.status !== 200) return `status ${response.status}`;
    return good(answer) ? undefined : "no whole answer";
  } catch (error) {
    return (error as Error).message;
  }
}
