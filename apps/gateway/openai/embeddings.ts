/** POST /v1/embeddings, as of OpenAI's API. */
import { Elysia } from "elysia";
import {
  EMBEDDING_DIMENSIONS,
  EMBEDDING_MODEL,
  type EmbeddingCompletion,
  Embeddings,
  EmbeddingsRequest,
  embeddingsRequest,
  unpackEmbedding,
} from "#contracts";
import type { Line } from "../ask.ts";
import { readJson } from "../body.ts";
import { embed } from "../embed.ts";
import { HttpError, stopping } from "../http-error.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { identityOf } from "../tenant.ts";
import { noSuchModel, openaiErrors } from "./errors.ts";

export interface EmbeddingsOptions {
  readonly line: Line;
  readonly metrics: GatewayMetrics;
  readonly duty: { draining: boolean; active: number };
  /** How long a body may take, ms. */
  readonly body_timeout_ms: number;
}

export function embeddings({ line, metrics, duty, body_timeout_ms }: EmbeddingsOptions) {
  const answer = async (request: Request): Promise<Response> => {
    if (duty.draining) throw stopping();
    const { input, encoding_format } = readRequest(await readJson(request, body_timeout_ms));
    const texts = typeof input === "string" ? [input] : input;
    duty.active++;
    try {
      const completions = await embed(line, texts, { ...identityOf(request), signal: request.signal });
      metrics.embeddings.inc({ status: 200 });
      return Response.json(embeddingsOf(completions, encoding_format));
    } finally {
      duty.active--;
    }
  };
  return new Elysia({ name: "embeddings", normalize: false }).post(
    "/v1/embeddings",
    ({ request }) => answer(request) as never,
    {
      parse: "none",
      response: { 200: Embeddings, ...openaiErrors },
      detail: {
        summary: "Texts to vectors, as of OpenAI's embeddings API",
        description:
          "By the model that questions are embedded with, in the same queue. A text of more tokens than the model " +
          "reads is refused with `context_length_exceeded`.",
        tags: ["openai"],
        requestBody: {
          required: true,
          content: { "application/json": { schema: EmbeddingsRequest as never } },
        },
      },
    },
  );
}

/** @throws HttpError 400 and 404 for what is not taken. */
function readRequest(body: unknown): EmbeddingsRequest {
  if (holdsTokens(body)) {
    throw invalid("input: token ids are of another model's vocabulary: send the text itself");
  }
  if (!embeddingsRequest.check(body)) throw invalid(embeddingsRequest.explain(body));
  if (body.model !== EMBEDDING_MODEL) throw noSuchModel(body.model, EMBEDDING_MODEL);
  if (body.dimensions !== undefined && body.dimensions !== EMBEDDING_DIMENSIONS) {
    throw invalid(`dimensions: vectors have ${EMBEDDING_DIMENSIONS}; ask for that many, or leave it out`);
  }
  return body;
}

function holdsTokens(body: unknown): boolean {
  const { input } = (body ?? {}) as { input?: unknown };
  const [first] = Array.isArray(input) ? input : [];
  return typeof first === "number" || (Array.isArray(first) && typeof first[0] === "number");
}

function embeddingsOf(
  completions: readonly EmbeddingCompletion[],
  format: EmbeddingsRequest["encoding_format"],
): Embeddings {
  const tokens = completions.reduce((sum, completion) => sum + completion.tokens, 0);
  return {
    object: "list",
    model: EMBEDDING_MODEL,
    data: completions.map(({ embedding }, index) => ({
      object: "embedding",
      index,
      embedding: format === "base64" ? embedding : Array.from(unpackEmbedding(embedding)),
    })),
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  };
}

function invalid(message: string): HttpError {
  return new HttpError(400, "invalid_request", message);
}
