/**
 * Asks over kept connections, one request after the other on each, as cheaply as can be: what is measured is the server.
 * It knows of HTTP only what these servers say: 200 and a content-length.
 */

const HEAD_END = Buffer.from("\r\n\r\n");
const LENGTH = /content-length: (\d+)/i;

export interface Load {
  readonly port: number;
  readonly connections: number;
  readonly requests: number;
  readonly body: string;
}

/**
 * Resolves with requests/s.
 * @throws Error at the first answer that is not 200: a figure over failures would mean nothing.
 */
export async function httpLoad({ port, connections, requests, body }: Load): Promise<number> {
  const request = Buffer.from(
    `POST /query HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  );
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  let to_send = requests;
  let open = requests;
  interface Answer {
    /** Bytes of the answer that are still to come; `undefined` before its head is whole. */
    left?: number;
    head: Buffer;
  }
  const empty = Buffer.alloc(0);
  const sockets = await Promise.all(
    Array.from({ length: connections }, () =>
      Bun.connect<Answer>({
        hostname: "127.0.0.1",
        port,
        data: { head: empty },
        socket: {
          data(socket, part) {
            const answer = socket.data;
            if (answer.left === undefined) {
              const seen = answer.head.length > 0 ? Buffer.concat([answer.head, part]) : part;
              const end = seen.indexOf(HEAD_END);
              if (end === -1) {
                answer.head = Buffer.from(seen);
                return;
              }
              const head = seen.toString("latin1", 0, end);
              const length = LENGTH.exec(head)?.[1];
              if (!head.startsWith("HTTP/1.1 200") || length === undefined) {
                reject(new Error(`the server answered with ${seen.toString("latin1")}`));
                return;
              }
              answer.left = Number(length) - (seen.length - end - HEAD_END.length);
              answer.head = empty;
            } else {
              answer.left -= part.length;
            }
            if (answer.left > 0) return;
            answer.left = undefined;
            if (--open === 0) resolve();
            else if (to_send > 0) {
              to_send--;
              socket.write(request);
            }
          },
          close: () => reject(new Error("the server hung up")),
          error: (_socket, error) => reject(error),
        },
      }),
    ),
  );
  const started = performance.now();
  for (const socket of sockets) {
    if (to_send-- <= 0) break;
    socket.write(request);
  }
  await promise;
  const elapsed_s = (performance.now() - started) / 1_000;
  for (const socket of sockets) socket.end();
  return requests / elapsed_s;
}
