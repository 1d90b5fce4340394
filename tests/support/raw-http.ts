/** HTTP as no client library writes it. */
import { connect } from "node:net";

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends `request` as it is, and gives the first whole answer, or what came until the server hung up. */
export function rawRequest(url: string, request: string): Promise<RawAnswer> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(request));
    let text = "";
    const end = () => {
      const [head = "", body = ""] = split(text);
      socket.destroy();
      resolve({ status: Number(head.split(" ")[1]), head, body });
    };
    socket.setEncoding("latin1");
    socket.on("data", (part) => {
      text += part;
      const [head, body] = split(text);
      const length = /^content-length: (\d+)/im.exec(head ?? "")?.[1];
      if (body !== undefined && length !== undefined && body.length >= Number(length)) end();
    });
    socket.on("end", end);
    socket.on("error", reject);
  });
}

function split(text: string): [head?: string, body?: string] {
  const at = text.indexOf("\r\n\r\n");
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 4)];
}
