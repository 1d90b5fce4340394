/** An answer as it comes, as typed events: `accepted`, `sources`, `token` ..., and `done` or `error`. */

import type { AnswerCompletion, AnswerEvent, QueryRequest } from "#contracts";
import type { AcceptedJob } from "#queue";
import { type Asking, answerOf, type Line, placeOf, submit } from "../ask.ts";
import { HttpError } from "../http-error.ts";
import type { TokenReader } from "./token-reader.ts";
import { Transcript } from "./transcript.ts";

export interface Streaming {
  readonly line: Line;
  readonly reader: TokenReader;
}

export interface StreamOptions {
  /** The client's `Last-Event-ID`, where it asks the same again under the same `Idempotency-Key`. */
  readonly seen?: string;
  /** Called at the first token, with the time since the question was asked, ms; not for one that was asked before. */
  readonly first_token?: (elapsed_ms: number) => void;
}

export interface AnswerStream {
  readonly job_id: string;
  /** Ends after `done` or `error`; breaks off, without either, when the client hangs up. */
  readonly events: ReadableStream<AnswerEvent>;
}

/**
 * Resolves when the line has accepted the question. From then on what goes wrong is an `error` event.
 * @throws HttpError as `submit`.
 */
export async function streamAnswer(
  { line, reader }: Streaming,
  question: QueryRequest,
  asking: Omit<Asking, "stream">,
  { seen, first_token }: StreamOptions = {},
): Promise<AnswerStream> {
  const asked = performance.now();
  const place = await placeOf(line, question, asking);
  if (place?.kept) return told(place.kept);
  const submitted = await submit(line, question, { ...asking, stream: true });
  const { job_id } = submitted;
  const transcript = new Transcript(job_id, submitted.seen ? seen : undefined);
  let waiting = !submitted.seen;
  const answer = answerOf(line, submitted, asking);
  if (place) answer.then((completion) => place.keep(completion)).catch(() => {});
  const events = follow(reader, submitted, transcript, answer, ({ event }) => {
    if (event !== "token" || !waiting) return;
    waiting = false;
    first_token?.(performance.now() - asked);
  });
  return { job_id, events };
}

/** An answer that was kept: all of it at once. */
function told(completion: AnswerCompletion): AnswerStream {
  const { job_id } = completion;
  const transcript = new Transcript(job_id);
  const events = new ReadableStream<AnswerEvent>({
    start(controller) {
      for (const event of [...transcript.begin(), ...transcript.end(completion)]) controller.enqueue(event);
      controller.close();
    },
  });
  return { job_id, events };
}

/**
 * The events of a job that was accepted before, by whichever gateway.
 * @param seen the client's `Last-Event-ID`: only what comes after it.
 * @param signal fires when the client hangs up; the job goes on.
 */
export function streamJob(
  { line, reader }: Streaming,
  job: AcceptedJob,
  signal: AbortSignal,
  seen?: string,
): AnswerStream {
  const { job_id, reply_to } = job;
  const completion = line.waiter.rejoin(job, signal);
  // Whoever reads along cancels nothing: as with a key.
  const answer = answerOf(line, { job_id, completion }, { signal, key: job_id });
  return { job_id, events: follow(reader, { job_id, reply_to }, new Transcript(job_id, seen), answer) };
}

function follow(
  reader: TokenReader,
  { job_id, reply_to }: Pick<AcceptedJob, "job_id" | "reply_to">,
  transcript: Transcript,
  answer: Promise<AnswerCompletion>,
  observe: (event: AnswerEvent) => void = () => {},
): ReadableStream<AnswerEvent> {
  let unfollow = () => {};
  return new ReadableStream<AnswerEvent>({
    async start(controller) {
      let open = true;
      const tell = (events: readonly AnswerEvent[]) => {
        if (!open) return;
        for (const event of events) {
          observe(event);
          controller.enqueue(event);
        }
      };
      const stop = reader.follow(job_id, reply_to, (entries) => tell(transcript.add(entries)));
      unfollow = () => {
        open = false;
        stop();
      };
      tell(transcript.begin());
      // Not awaited here: a stream that has not started gives nothing.
      answer
        .then(async (completion) => {
          // Its last tokens may not have come by the reader yet.
          tell(transcript.add(await reader.read(job_id).catch(() => [])));
          tell(transcript.end(completion));
        })
        .catch((error) => {
          if (error instanceof HttpError) tell(transcript.fail(error));
          else throw error;
        })
        .then(
          () => open && controller.close(),
          (error) => open && controller.error(error),
        )
        .finally(unfollow);
    },
    cancel: () => unfollow(),
  });
}
