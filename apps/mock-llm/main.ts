/** An LLM replica to try things on: it speaks as Ollama and OpenAI do, and answers from the prompt's sources. */
import { configOrExit, createLogger } from "#runtime";
import { mockLlmSettings } from "./config.ts";
import { serveMock } from "./server.ts";

const config = configOrExit(mockLlmSettings);
const log = createLogger("mock-llm", "info");

try {
  const server = serveMock(config);
  log.info({ url: server.url.origin }, "listening");
} catch (error) {
  console.error(
    `cannot listen on ${config.MOCK_HOST}:${config.MOCK_PORT} (${(error as Error).message}): ` +
      "set MOCK_PORT to another port, or to 0 for any free one",
  );
  process.exit(1);
}

// What is in flight ends with the process, as it would with a replica that is killed.
for (const end of ["SIGTERM", "SIGINT", "disconnect"]) process.on(end, () => process.exit(0));
