/**
 * Clients that read streams of answers, each on a connection of its own, over IPC: how long each token took from being written to its
 * byte being here, ms. As cheap as can be: what is measured is the gateway.
 */
import { now } from "../gateway/clock.ts";

export type Received = { readonly received: number; readonly p50_ms: number; readonly p99_ms: number };

/** The times of tokens, as they were written. */
const TOKEN = /"text":"((?:\d+\.\d\d )+)"/g;

const [port = 0, streams = 0] = process.argv.slice(2).map(Number);
const body = JSON.stringify({ query: "What is machine learning?", stream: true });
const request =
  `POST /query HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nContent-Type: application/json\r\nConnection: close\r\n` +
  `Content-Length: ${body.length}\r\n\r\n${body}`;

process.on("disconnect", () => process.exit(0));
process.on("message", async () => {
  const took_ms: number[] = [];
  let ended = 0;
  const { promise: all_ended, resolve } = Promise.withResolvers<void>();
  for (let i = 0; i < streams; i++) {
    await Bun.connect<{ rest: string }>({
      hostname: "127.0.0.1",
      port,
      data: { rest: "" },
      socket: {
        data(socket, part) {
          const at = now();
          const text = socket.data.rest + part.toString("latin1");
          if (text.startsWith("HTTP/1.1 ") && !text.startsWith("HTTP/1.1 200"))
            process.send!({ failed: text });
          const whole = text.lastIndexOf("\n\n") + 2;
          socket.data.rest = whole > 1 ? text.slice(whole) : text;
          for (const [, tokens = ""] of text.slice(0, whole).matchAll(TOKEN)) {
            for (const written of tokens.trimEnd().split(" ")) took_ms.push(at - Number(written));
          }
        },
        close() {
          if (++ended === streams) resolve();
        },
      },
    }).then((socket) => socket.write(request));
  }
  await all_ended;
  took_ms.sort((a, b) => a - b);
  const at = (share: number) => took_ms[Math.floor((took_ms.length - 1) * share)]!;
  const received: Received = { received: took_ms.length, p50_ms: at(0.5), p99_ms: at(0.99) };
  process.send!(received);
});
process.send!({ ready: true });
