/** An answer as it comes: the entries of its stream in Redis, and the events that a client reads. */
import { type Static, type TSchema, Type } from "@sinclair/typebox";
import { contract } from "./check.ts";
import { ErrorBody, JobAccepted, QueryAnswer } from "./http.ts";
import { Source } from "./messages.ts";

/**
 * What an entry of `job:tokens:<JOB_ID>` holds, as JSON in its one field, `entry`.
 *
 * A run is one attempt of one worker to answer. A later run takes the place of the one before, wherever that had
 * come; what a run writes after another has begun is passed over. An entry may come twice, after a lost connection:
 * `at` tells.
 */
export const TokenEntry = Type.Union([
  Type.Object({ sources: Type.Array(Source) }),
  Type.Object({ begin: Type.String({ minLength: 1, description: "Id of a run, never used before" }) }),
  Type.Object({
    run: Type.String({ minLength: 1 }),
    at: Type.Integer({ minimum: 0, description: "UTF-16 code units of the run's text before it" }),
    text: Type.String({ minLength: 1 }),
  }),
]);
export type TokenEntry = Static<typeof TokenEntry>;

export const tokenEntry = contract(TokenEntry);

const event = <Name extends string, S extends TSchema>(name: Name, data: S) =>
  Type.Object({
    id: Type.String({ description: "For `Last-Event-ID`" }),
    event: Type.Literal(name),
    data,
  });

/** A server-sent event, its `data` parsed. */
export const AnswerEvent = Type.Union([
  event("accepted", JobAccepted),
  event("sources", Type.Object({ sources: Type.Array(Source) })),
  event("token", Type.Object({ text: Type.String() })),
  /** The answer begins anew: the text so far is void. A replica failed midway, and another one answers. */
  event("reset", Type.Object({})),
  event("done", QueryAnswer),
  event("error", ErrorBody),
]);
export type AnswerEvent = Static<typeof AnswerEvent>;

export const EventStream = Type.String({
  contentMediaType: "text/event-stream",
  description: "Server-sent events: `accepted`, `sources`, `token`, `reset`, and `done` or `error`",
  example: `id: 0
event: accepted
data: {"job_id":"1e0a5c1c-1f0b-4d0e-9a53-1c2f4e1f7d55"}

id: 1760000000123-0
event: token
data: {"text":"Machine learning"}

`,
});
