/** The retriever: a question's vector to its sources, and to the prompt that holds them. */
import { DEFAULT_TENANT, type LlmIn, queues, type RetrieverIn, unpackEmbedding } from "#contracts";
import { Fail, Retry } from "#queue";
import { configOrExit, openStoreOrExit, runStage } from "#runtime";
import { type SearchRequest, StoreError } from "#vector-store";
import { retrieverSettings } from "./config.ts";
import { findSources } from "./find-sources.ts";
import { buildPrompt } from "./prompt.ts";
import { rerankers } from "./reranker.ts";
import { SearchCache } from "./search-cache.ts";

/** Searches at once: enough to keep Qdrant busy; SQLite answers one after the other anyway. */
const CONCURRENCY = 16;

const config = configOrExit(retrieverSettings);
const store = openStoreOrExit(config, true);
const searches = new SearchCache(store, config.RETRIEVER_CACHE);
const tools = {
  search: (request: SearchRequest) => searches.hits(request),
  reranker: rerankers[config.RERANKER],
  limits: { min_cosine: config.MIN_SCORE, max_tokens: config.PROMPT_TOKENS },
};

async function retrieve(job: RetrieverIn, { signal }: { readonly signal: AbortSignal }): Promise<LlmIn> {
  const { embedding, ...question } = job;
  const { tenant = DEFAULT_TENANT, query: text, top_k, filter } = job;
  const request = { tenant, vector: unpackEmbedding(embedding), text, top_k, filter };
  try {
    const contexts = await findSources(tools, request, signal);
    return { ...question, contexts, augmented_prompt: buildPrompt(text, contexts) };
  } catch (error) {
    if (error instanceof StoreError)
      throw new Retry(new Fail("store_unavailable", error.message, { cause: error }));
    throw error;
  }
}

const app = await runStage({
  name: "retriever",
  config,
  from: queues.retrieverIn,
  to: queues.llmIn,
  concurrency: CONCURRENCY,
  handle: retrieve,
  ready: async () => {
    try {
      const { kind, chunks } = await store.info();
      return { store: { ok: true, detail: `${kind}, ${chunks} chunks` } };
    } catch (error) {
      return { store: { ok: false, detail: String(error) } };
    }
  },
  close: () => store.close(),
});
app.registry.registerMetric(searches.metric);
