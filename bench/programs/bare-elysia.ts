/**
 * A bare Elysia handler that gives the gateway's answer, over IPC. `bytes`: the body is read as JSON, and the answer is text made once.
 * `checked`: the body is checked by the gateway's schema, and the answer is an object, made and checked each time.
 */
import { Elysia } from "elysia";
import { QueryAnswer, QueryRequest, queryAnswer } from "#contracts";
import { answered } from "../gateway/answered.ts";
import { serveMeasured } from "../gateway/measured-server.ts";

const completion = { ...answered, job_id: crypto.randomUUID() };
const text = JSON.stringify(queryAnswer(completion, 0.5));
const headers = { "content-type": "application/json" };

const handlers = {
  bytes: () => new Elysia().post("/query", ({ body }) => body && new Response(text, { headers })),
  checked: () =>
    new Elysia({ normalize: false }).post("/query", () => queryAnswer(completion, 0.5), {
      body: QueryRequest,
      response: { 200: QueryAnswer },
    }),
};

const kind = process.argv[2] as keyof typeof handlers;
const app = handlers[kind]().listen({ hostname: "127.0.0.1", port: 0 });
serveMeasured(app.server!.port);
