import type { Server } from "bun";
import type { MockLlmSettings } from "./config.ts";
import { Generations } from "./generation.ts";
import { ollamaChat, ollamaError, ollamaGenerate, ollamaTags } from "./ollama.ts";
import { openaiChat, openaiError, openaiModels } from "./openai.ts";
import { type Endpoint, WireError } from "./wire.ts";

/** nginx's status for a client that has gone; nobody reads it. */
const CLIENT_CLOSED_REQUEST = 499;

/** @throws an error with the code EADDRINUSE if the port is taken. */
export function serveMock(settings: MockLlmSettings): Server<undefined> {
  const generations = new Generations(settings);

  const generates = (endpoint: Endpoint) => ({
    async POST(request: Request, server: Server<undefined>) {
      // Bun drops a connection that is idle for 10 s; waiting and slow tokens are what we are here for.
      server.timeout(request, 0);
      try {
        const exchange = endpoint.read(await readJson(request));
        return await generations.respond(exchange, request.signal);
      } catch (error) {
        if (request.signal.aborted) return new Response(null, { status: CLIENT_CLOSED_REQUEST });
        if (!(error instanceof WireError)) throw error;
        return Response.json(endpoint.error(error.status, error.message), { status: error.status });
      }
    },
  });

  return Bun.serve({
    port: settings.MOCK_PORT,
    hostname: settings.MOCK_HOST,
    development: false,
    // Without `development` Bun shares a taken port with whoever listens there.
    reusePort: false,
    routes: {
      "/api/generate": generates(ollamaGenerate),
      "/api/chat": generates(ollamaChat),
      "/api/tags": () => Response.json(ollamaTags(settings.MOCK_MODEL)),
      "/api/version": () => Response.json({ version: "0.0.0-mock" }),
      "/v1/chat/completions": generates(openaiChat),
      "/v1/models": () => Response.json(openaiModels(settings.MOCK_MODEL)),
      "/health": () => Response.json({ status: "ok" }),
      "/stats": () => Response.json(generations.stats()),
      "/": () => new Response("Ollama is running"),
    },
    fetch(request) {
      const { pathname } = new URL(request.url);
      const message = `there is no ${request.method} ${pathname} here`;
      const body = pathname.startsWith("/v1/") ? openaiError(404, message) : ollamaError(404, message);
      return Response.json(body, { status: 404 });
    },
  });
}

async function readJson(request: Request): Promise<unknown> {
  try {
    return await request.json();
  } catch (cause) {
    throw new WireError(400, `the body is not JSON: ${(cause as Error).message}`);
  }
}
