/**
 * One POST to an address that was checked.
 *
 * By node:http rather than fetch: it connects to the address it is given while it speaks to the name (Host, and the
 * certificate in TLS), follows no redirect, and goes by no HTTP_PROXY, which would look the name up again.
 */
import { request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP } from "node:net";
import type { Target } from "./target.ts";

export interface Posting {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly signal: AbortSignal;
}

/** The status of the answer; nothing more of it is read. Rejects as the connection does, or with the signal's. */
export function post({ url, host }: Target, { address, headers, body, signal }: Posting): Promise<number> {
  const secure = url.protocol === "https:";
  return new Promise((resolve, reject) => {
    const request = (secure ? requestHttps : requestHttp)(
      {
        host: address,
        port: url.port || (secure ? 443 : 80),
        method: "POST",
        path: `${url.pathname}${url.search}`,
        // Closed, so that no other name at the same address is spoken to over it.
        headers: {
          ...headers,
          host: url.host,
          connection: "close",
          "content-length": Buffer.byteLength(body),
        },
        ...(secure && !isIP(host) && { servername: host }),
        agent: false,
        signal,
      },
      (response) => {
        response.on("error", () => {}); // of the body, which is not wanted
        response.destroy();
        resolve(response.statusCode ?? 0);
      },
    );
    request.on("error", reject);
    request.end(body);
  });
}
