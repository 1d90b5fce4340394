/** What went wrong, in a replica's own words: the forms in which Ollama, llama.cpp and vLLM say it. */
import { Type } from "@sinclair/typebox";
import { contract } from "#contracts";

const text = Type.String({ minLength: 1 });
const message = Type.Object({ message: text });
const inError = contract(Type.Object({ error: Type.Union([text, message]) }));
const inBody = contract(message);

/** The message of `{error: "..."}`, `{error: {message}}` or `{message}`; nothing for any other value. */
export function errorMessage(body: unknown): string | undefined {
  if (inError.check(body)) return typeof body.error === "string" ? body.error : body.error.message;
  if (inBody.check(body)) return body.message;
}
