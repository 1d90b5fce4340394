/** What real servers send is understood, however the network cuts it. */
import { afterAll, describe, expect, test } from "bun:test";
import { Answer } from "../../../../apps/llm/replica/answer.ts";
import { type ReplicaApi, ReplicaError, replicaClient } from "../../../../apps/llm/replica/index.ts";
import { ollamaChat, ollamaGenerate } from "../../../../apps/llm/replica/ollama.ts";
import { openaiChat } from "../../../../apps/llm/replica/openai.ts";
import { type Wire, WireFault } from "../../../../apps/llm/replica/wire.ts";
import { transcripts } from "./transcripts.ts";

const wires: Record<ReplicaApi, Wire> = {
  ollama: ollamaGenerate,
  "ollama-chat": ollamaChat,
  openai: openaiChat,
};

/** `/<number of the transcript>/...` */
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  fetch: (request) => new Response(transcripts[Number(new URL(request.url).pathname.split("/")[1])]!.stream),
});
afterAll(() => server.stop(true));

const cases = transcripts.map((transcript, number) => [transcript.name, number, transcript] as const);

function thrown(error: unknown): unknown {
  return error;
}

describe("a replica's stream, to the client", () => {
  test.each(cases)("%s", async (_name, number, { api, gives }) => {
    const client = replicaClient({ api, model: "m", first_token_ms: 5_000, between_tokens_ms: 5_000 });
    const url = `${server.url}${number}`;
    const tokens: string[] = [];
    const signal = new AbortController().signal;
    const answer = client.generate({ url, prompt: "?", signal, onToken: (token) => tokens.push(token) });
    if (typeof gives === "string") {
      expect(await answer).toBe(gives);
      expect(tokens.join("")).toBe(gives);
    } else {
      const error = (await answer.catch(thrown)) as ReplicaError;
      expect(error).toBeInstanceOf(ReplicaError);
      expect(error.code).toBe(gives.code);
      expect(error.url).toBe(url);
      expect(error.message).toStartWith(`the replica at ${url} `);
      expect(error.message).toContain(gives.message);
    }
  });
});

describe("a replica's stream, one character at a time", () => {
  test.each(cases)("%s", (_name, _number, { api, stream, gives }) => {
    const read = () => {
      const answer = new Answer(wires[api]);
      for (const character of stream) if (!answer.complete) answer.add(character);
      return answer.end();
    };
    if (typeof gives === "string") expect(read()).toBe(gives);
    else expect(read).toThrow(WireFault);
  });
});
