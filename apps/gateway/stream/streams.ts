/** Streams of an answer's events, with what the gateway counts of them. */
import type { AnswerEvent, QueryRequest } from "#contracts";
import type { AcceptedJob } from "#queue";
import type { Asking } from "../ask.ts";
import { statusOfCode, stopping } from "../http-error.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { encodeEvent, eventStream } from "./event-stream.ts";
import { type Streaming, streamAnswer, streamJob } from "./stream-answer.ts";
import { isEnd } from "./transcript.ts";

export interface StreamsOptions extends Streaming {
  readonly metrics: GatewayMetrics;
  readonly duty: { draining: boolean; active: number };
  readonly heartbeat_ms: number;
}

/** What a stream needs of its request. */
export interface Client {
  readonly request: Request;
  /** `Last-Event-ID` */
  readonly seen?: string;
}

/**
 * @param encode an event's lines; none for one that is not told.
 * @throws HttpError where the question is not accepted.
 */
export async function streamQuery(
  options: StreamsOptions,
  client: Client,
  question: QueryRequest,
  asking: Pick<Asking, "tenant" | "priority" | "spend" | "key" | "cache_control">,
  encode: (event: AnswerEvent) => string = encodeEvent,
): Promise<Response> {
  const { metrics, duty } = options;
  const { request, seen } = client;
  if (duty.draining) throw stopping();
  const started = performance.now();
  duty.active++;
  metrics.active.inc();
  metrics.streams.inc();
  const over = () => {
    duty.active--;
    metrics.active.dec();
    metrics.streams.dec();
    metrics.latency.observe((performance.now() - started) / 1_000);
  };
  try {
    const { signal } = request;
    const { events } = await streamAnswer(
      options,
      question,
      { ...asking, signal },
      {
        seen,
        first_token: (elapsed_ms) => metrics.first_token.observe(elapsed_ms / 1_000),
      },
    );
    return respond(options, events, encode, (last) => {
      over();
      metrics.queries.inc({ status: statusOf(last) });
    });
  } catch (error) {
    over();
    throw error;
  }
}

/** 204 for a client that has seen everything: an `EventSource` then asks no more. */
export function streamEvents(options: StreamsOptions, client: Client, job: AcceptedJob): Response {
  const { request, seen } = client;
  if (isEnd(seen)) return new Response(null, { status: 204 });
  const { metrics } = options;
  metrics.streams.inc();
  const { events } = streamJob(options, job, request.signal, seen);
  return respond(options, events, encodeEvent, () => metrics.streams.dec());
}

function respond(
  { heartbeat_ms }: StreamsOptions,
  events: ReadableStream<AnswerEvent>,
  encode: (event: AnswerEvent) => string,
  ended: (last?: AnswerEvent) => void,
): Response {
  return eventStream(events, { heartbeat_ms, encode, ended });
}

/** As the plain answer's would be. */
function statusOf(last: AnswerEvent | undefined): number {
  if (last?.event === "done") return 200;
  return last?.event === "error" ? statusOfCode(last.data.error.code) : 499;
}
