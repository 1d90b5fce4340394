/** A conversation to the question that is looked up and answered. */
import { type ChatMessage, MAX_QUERY_CHARS } from "#contracts";
import { HttpError } from "../http-error.ts";

/** Words by which a question refers to one before it. */
const REFERS_BACK =
  /\b(?:it|its|they|them|their|theirs|this|that|these|those|he|she|his|her|ones|former|latter)\b|^(?:and|but|or|so|also|what about|how about)\b/i;
/** So short a question is hardly whole: "An example?" */
const FEW_WORDS = 3;

/**
 * The last of the user's messages; where it refers to what was said before, after the question that it follows. Without
 * a call of an LLM, which would cost each question the time of two: the words that a search needs are those of the
 * question before.
 * @throws HttpError 400 where there is none, or it is too long.
 */
export function questionOf(messages: readonly ChatMessage[]): string {
  const asked = messages.filter(({ role }) => role === "user").map(textOf);
  const last = asked.pop()?.trim();
  if (!last) throw invalid("invalid_request", "messages: the last user message holds no text: ask something");
  if (last.length > MAX_QUERY_CHARS) {
    const message = `messages: the last user message is longer than ${MAX_QUERY_CHARS} characters`;
    throw invalid("context_length_exceeded", message);
  }
  const before: string[] = [];
  let room = MAX_QUERY_CHARS - last.length;
  let first = last;
  while (refersBack(first)) {
    const earlier = asked.pop()?.trim();
    if (!earlier || earlier.length + 1 > room) break;
    room -= earlier.length + 1;
    before.unshift(earlier);
    first = earlier;
  }
  return [...before, last].join("\n");
}

function refersBack(question: string): boolean {
  return REFERS_BACK.test(question) || question.split(/\s+/).length <= FEW_WORDS;
}

function textOf({ content }: ChatMessage): string {
  if (typeof content === "string") return content;
  return (content ?? []).map(({ text = "" }) => text).join("\n");
}

function invalid(code: string, message: string): HttpError {
  return new HttpError(400, code, message);
}
