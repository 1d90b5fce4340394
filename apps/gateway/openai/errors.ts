/** Errors of OpenAI's API, as its clients read them: of every route under `/v1`, those that there are not too. */
import { ChatError } from "#contracts";
import { HttpError } from "../http-error.ts";

/** For the routes' schemas. */
export const openaiErrors = {
  400: ChatError,
  404: ChatError,
  408: ChatError,
  409: ChatError,
  413: ChatError,
  415: ChatError,
  422: ChatError,
  429: ChatError,
  500: ChatError,
  502: ChatError,
  503: ChatError,
  504: ChatError,
};

/** Whether a request is of OpenAI's API: by its address, as what is refused before routing has no path yet. */
export function isOpenai({ url }: Request): boolean {
  return URL.canParse(url) && new URL(url).pathname.startsWith("/v1/");
}

/** OpenAI's client makes an error of its own of it, by the status. */
export function openaiError(status: number, code: string, message: string): ChatError {
  return { error: { message, type: typeOf(status), param: null, code } };
}

export function openaiErrorResponse(error: HttpError): Response {
  const { status, code, message, headers } = error;
  return Response.json(openaiError(status, code, message), { status, headers });
}

/** @param there_is the one to ask for. */
export function noSuchModel(model: string, there_is: string): HttpError {
  const message = `there is no model ${JSON.stringify(model)} here: ask for "${there_is}"`;
  return new HttpError(404, "model_not_found", message);
}

function typeOf(status: number): string {
  if (status === 401 || status === 403) return "authentication_error";
  if (status === 429) return "rate_limit_error";
  return status < 500 ? "invalid_request_error" : "server_error";
}
