import { ofetch } from "ofetch";
import { ReplicaError } from "./error.ts";
import { errorMessage } from "./error-message.ts";

/** How much of an error's body goes into the message. */
const SHOWN_CHARS = 300;

export interface StreamRequest {
  /** The replica's base URL: names it in errors. */
  readonly url: string;
  /** Below `url`, without a leading slash. */
  readonly path: string;
  readonly body: object;
  readonly headers: Record<string, string>;
  readonly signal: AbortSignal;
}

/**
 * POSTs, and yields the body's text as it comes. Leaving early aborts the request, as the signal does.
 * @throws ReplicaError `refused`, `http` or `cut_off`; when the signal fires, any error.
 */
export async function* streamText({ url, path, ...request }: StreamRequest): AsyncGenerator<string> {
  const response = await connect(`${url.replace(/\/+$/, "")}/${path}`);
  if (!response.ok) {
    const said = await errorText(response);
    throw new ReplicaError("http", url, `answered with status ${response.status}${said && `: ${said}`}`);
  }
  const decoder = new TextDecoder();
  try {
    for await (const part of response.body ?? []) yield decoder.decode(part, { stream: true });
  } catch (cause) {
    throw new ReplicaError("cut_off", url, `broke off its answer: ${(cause as Error).message}`, { cause });
  }

  async function connect(endpoint: string): Promise<Response> {
    try {
      return await ofetch.raw(endpoint, {
        ...request,
        method: "POST",
        responseType: "stream",
        retry: false,
        ignoreResponseError: true,
        // Bun's own limit on an idle connection: how long a token may take is for the caller to say.
        timeout: 0,
      });
    } catch (error) {
      const cause = (error as Error).cause ?? error;
      throw new ReplicaError("refused", url, `gave no response: ${(cause as Error).message}`, { cause });
    }
  }
}

async function errorText(response: Response): Promise<string> {
  const text = await response.text().catch(() => "");
  try {
    return errorMessage(JSON.parse(text)) ?? text.slice(0, SHOWN_CHARS);
  } catch {
    return text.slice(0, SHOWN_CHARS);
  }
}
