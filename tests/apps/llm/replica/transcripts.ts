/** Streams as servers send them, byte for byte, and what an answer they are. */
import type { ReplicaApi, ReplicaErrorCode } from "../../../../apps/llm/replica/index.ts";

export interface Transcript {
  readonly name: string;
  readonly api: ReplicaApi;
  readonly stream: string;
  /** The answer, or how it fails. */
  readonly gives: string | { readonly code: ReplicaErrorCode; readonly message: string };
}

const ollama = (...frames: object[]) =>
  frames
    .map(
      (frame) =>
        `${JSON.stringify({ model: "llama3.2", created_at: "2025-10-17T23:14:07.414671Z", ...frame })}\n`,
    )
    .join("");

const ollamaDone = {
  done: true,
  done_reason: "stop",
  total_duration: 174560334,
  load_duration: 101397084,
  prompt_eval_count: 11,
  prompt_eval_duration: 13074791,
  eval_count: 18,
  eval_duration: 52479709,
};

const sse = (...events: (object | string)[]) =>
  events.map((event) => `data: ${typeof event === "string" ? event : JSON.stringify(event)}\n\n`).join("");

const vllm = (choices: object[] | null | undefined, more: object = {}) => ({
  id: "chatcmpl-ac0e1a6028c01fc8",
  object: "chat.completion.chunk",
  created: 1782310028,
  model: "Qwen/Qwen3-8B",
  choices,
  ...more,
});
const vllmDelta = (delta: object, more: object = {}) =>
  vllm([{ index: 0, delta, logprobs: null, finish_reason: null, token_ids: null, ...more }]);
const vllmStop = vllmDelta({}, { finish_reason: "stop", stop_reason: null });
const vllmUsage = { usage: { prompt_tokens: 12, total_tokens: 14, completion_tokens: 2 } };

const llamaCpp = (delta: object, finish_reason: string | null = null, more: object = {}) => ({
  choices: [{ finish_reason, index: 0, delta }],
  created: 1781492230,
  id: "chatcmpl-qC6laQHbZ2CmxNvJ4NoB1L93LcVF7nfe",
  model: "gemma-4-E2B-it-Q4_K_M.gguf",
  system_fingerprint: "b9554-d403f00ec",
  object: "chat.completion.chunk",
  ...more,
});

const llamaCppAnswer = [
  llamaCpp({ role: "assistant", content: null }),
  llamaCpp({ content: "A queue" }),
  llamaCpp({ content: " holds work." }),
  llamaCpp({}, "stop", { timings: { cache_n: 7, prompt_n: 10, prompt_ms: 251.51 } }),
];

export const transcripts: readonly Transcript[] = [
  {
    name: "Ollama, generate",
    api: "ollama",
    stream: ollama(
      { response: "A queue", done: false },
      { response: " holds work.", done: false },
      { response: "", ...ollamaDone, context: [128006, 882] },
    ),
    gives: "A queue holds work.",
  },
  {
    name: "Ollama, generate with thoughts first",
    api: "ollama",
    stream: ollama(
      { response: "", thinking: "Queues...", done: false },
      { response: "A queue holds work.", done: false },
      { response: "", ...ollamaDone },
    ),
    gives: "A queue holds work.",
  },
  {
    name: "Ollama, chat",
    api: "ollama-chat",
    stream: ollama(
      { message: { role: "assistant", content: "", thinking: "Queues..." }, done: false },
      { message: { role: "assistant", content: "A queue" }, done: false },
      { message: { role: "assistant", content: " holds work." }, done: false },
      { message: { role: "assistant", content: "" }, ...ollamaDone },
    ),
    gives: "A queue holds work.",
  },
  {
    name: "Ollama's last line with text in it, and without a line's end",
    api: "ollama",
    stream: ollama(
      { response: "A queue", done: false },
      { response: " holds work.", ...ollamaDone },
    ).trimEnd(),
    gives: "A queue holds work.",
  },
  {
    name: "Ollama with CRLF and blank lines",
    api: "ollama",
    stream: ollama({ response: "A queue.", done: false }, { response: "", ...ollamaDone }).replaceAll(
      "\n",
      "\r\n\r\n",
    ),
    gives: "A queue.",
  },
  {
    name: "Ollama, cut at the length limit",
    api: "ollama",
    stream: ollama(
      { response: "A queue", done: false },
      { response: "", ...ollamaDone, done_reason: "length" },
    ),
    gives: "A queue",
  },
  {
    name: "Ollama, failing midway",
    api: "ollama",
    stream: `${ollama({ response: " Yes", done: false })}{"error":"an error was encountered while running the model"}\n`,
    gives: { code: "cut_off", message: "gave up: an error was encountered while running the model" },
  },
  {
    name: "Ollama that has only loaded the model",
    api: "ollama",
    stream: ollama({ response: "", done: true, done_reason: "load" }),
    gives: { code: "malformed", message: "answered with nothing" },
  },
  {
    name: "Ollama's stream that ends early",
    api: "ollama-chat",
    stream: ollama({ message: { role: "assistant", content: "A queue" }, done: false }),
    gives: { code: "cut_off", message: "ended its answer before it was complete" },
  },
  {
    name: "Ollama's stream that ends in half a line",
    api: "ollama",
    stream: ollama({ response: "A", done: false }, { response: " queue", done: false }).slice(0, -20),
    gives: { code: "cut_off", message: "ended its answer before it was complete" },
  },
  {
    name: "Ollama's chat asked as if it were generate",
    api: "ollama",
    stream: ollama({ message: { role: "assistant", content: "A queue" }, done: false }, { ...ollamaDone }),
    gives: { code: "malformed", message: "answered with nothing" },
  },
  {
    name: "a line of the wrong shape",
    api: "ollama",
    stream: '{"response": 5, "done": false}\n',
    gives: {
      code: "malformed",
      message: 'its wire format (/response: Expected string): {"response": 5',
    },
  },
  {
    name: "a web page",
    api: "ollama",
    stream: "<!doctype html>\n<h1>It works!</h1>\n",
    gives: { code: "malformed", message: "its wire format (not JSON): <!doctype html>" },
  },
  {
    name: "a web page, where events are expected",
    api: "openai",
    stream: "<!doctype html>\n<h1>It works!</h1>\n",
    gives: { code: "malformed", message: "answered with nothing of its wire format" },
  },
  {
    name: "an empty body",
    api: "ollama",
    stream: "",
    gives: { code: "malformed", message: "answered with nothing of its wire format" },
  },
  {
    name: "llama.cpp, its last event without a blank line",
    api: "openai",
    stream: sse(...llamaCppAnswer, "[DONE]").trimEnd(),
    gives: "A queue holds work.",
  },
  {
    name: "llama.cpp with pings, thoughts and token counts",
    api: "openai",
    stream: `:\n\n: ping\n\n${sse(
      llamaCpp({ role: "assistant", content: null }),
      llamaCpp({ reasoning_content: "Queues..." }),
      ...llamaCppAnswer.slice(1),
      { ...llamaCpp({}), choices: [], usage: { completion_tokens: 2, prompt_tokens: 8, total_tokens: 10 } },
      "[DONE]",
    )}`,
    gives: "A queue holds work.",
  },
  {
    name: "llama.cpp, failing midway",
    api: "openai",
    stream: sse(llamaCppAnswer[1]!, {
      error: { code: 500, message: "context shift is disabled", type: "server_error" },
    }),
    gives: { code: "cut_off", message: "gave up: context shift is disabled" },
  },
  {
    name: "vLLM",
    api: "openai",
    stream: sse(
      vllmDelta({ role: "assistant", content: "" }),
      vllmDelta({ content: "A queue" }),
      vllmDelta({ content: " holds work." }),
      vllmStop,
      vllm([], vllmUsage),
      "[DONE]",
    ),
    gives: "A queue holds work.",
  },
  {
    name: "vLLM with thoughts, tool calls and null in every place for it",
    api: "openai",
    stream: sse(
      vllmDelta({ role: "assistant", content: null, reasoning_content: null, tool_calls: [] }),
      vllmDelta({ reasoning: "Queues..." }),
      vllmDelta({ content: "A queue.", reasoning_content: null, tool_calls: [] }),
      vllmStop,
      vllm(null, vllmUsage),
      "[DONE]",
    ),
    gives: "A queue.",
  },
  {
    name: "token counts before the end, without choices",
    api: "openai",
    stream: sse(vllmDelta({ content: "A queue." }), vllm(undefined, vllmUsage), vllmStop, "[DONE]"),
    gives: "A queue.",
  },
  {
    name: "vLLM, failing midway",
    api: "openai",
    stream: sse(
      vllmDelta({ content: "A" }),
      { object: "error", message: "EngineCore died", code: 500 },
      "[DONE]",
    ),
    gives: { code: "cut_off", message: "gave up: EngineCore died" },
  },
  {
    name: "vLLM, its generation aborted",
    api: "openai",
    stream: sse(vllmDelta({ content: "A" }), vllmDelta({}, { finish_reason: "abort" }), "[DONE]"),
    gives: { code: "cut_off", message: "gave up: finish_reason is abort" },
  },
  {
    name: "events without a space after data, and with CRLF",
    api: "openai",
    stream: sse(vllmDelta({ content: "A queue." }), vllmStop, "[DONE]")
      .replaceAll("data: ", "data:")
      .replaceAll("\n", "\r\n"),
    gives: "A queue.",
  },
  {
    name: "a stream that ends after finish_reason, without [DONE]",
    api: "openai",
    stream: sse(vllmDelta({ content: "A queue." }), vllmStop),
    gives: "A queue.",
  },
  {
    name: "a stream of events that ends early",
    api: "openai",
    stream: sse(vllmDelta({ role: "assistant", content: "" }), vllmDelta({ content: "A queue" })),
    gives: { code: "cut_off", message: "ended its answer before it was complete" },
  },
  {
    name: "an event that is not JSON",
    api: "openai",
    stream: sse(vllmDelta({ content: "A" }), "oops", "[DONE]"),
    gives: { code: "malformed", message: "its wire format (not JSON): oops" },
  },
  {
    name: "an event of the wrong shape",
    api: "openai",
    stream: sse({ answer: "A queue." }, "[DONE]"),
    gives: {
      code: "malformed",
      message: 'its wire format (/choices: Expected required property): {"answer"',
    },
  },
  {
    name: "an answer of white space",
    api: "openai",
    stream: sse(vllmDelta({ content: " \n" }), vllmStop, "[DONE]"),
    gives: { code: "malformed", message: "answered with nothing" },
  },
];
