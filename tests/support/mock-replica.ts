/** A mock LLM replica as a real process, on a free port. */
import type { MockStats } from "../../apps/mock-llm/generation.ts";
import { startProcess } from "./process.ts";
import { until } from "./until.ts";

export interface MockReplica {
  readonly url: string;
  stats(): Promise<MockStats>;
  /** Asks for its stats until they fit. */
  until(fits: (stats: MockStats) => boolean): Promise<MockStats>;
  stop(): Promise<void>;
}

/** @param env its settings; it answers without delay unless they say otherwise. */
export async function startMockReplica(env: Record<string, string> = {}): Promise<MockReplica> {
  const mock = startProcess("apps/mock-llm/main.ts", { MOCK_PORT: "0", MOCK_DELAY_MS: "0", ...env });
  const { url } = JSON.parse(await mock.line('"msg":"listening"')) as { url: string };
  const stats = async () => (await (await fetch(`${url}/stats`)).json()) as MockStats;
  return {
    url,
    stats,
    until: (fits) => until(stats, fits),
    async stop() {
      await mock.stop();
    },
  };
}
