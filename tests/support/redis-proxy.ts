/**
 * A TCP proxy before Redis that does to it what a bad network does: holds data up, cuts connections, loses replies,
 * and leaves connections half open. All of it on order, so that a test can say what goes wrong and when.
 */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";

/**
 * - `cut`: the reply arrives, then its connection is cut.
 * - `lose`: Redis has done what it was told, but the reply never arrives: its connection is cut instead.
 * - `hang`: from this reply on nothing passes on its connection any more, and nobody is told.
 */
export type ReplyFault = "cut" | "lose" | "hang";

interface Link {
  readonly client: Socket;
  readonly server: Socket;
  hanging: boolean;
  /** The next reply is lost, and this is told of it. */
  lost?: () => void;
}

interface Wanted {
  readonly request: RegExp;
  readonly asked: () => void;
  readonly lost: () => void;
}

export class RedisProxy {
  /** How long the next piece of data is held up, either way, in ms. */
  delay: () => number = () => 0;
  readonly #links = new Set<Link>();
  #faults: { after: number; fault: ReplyFault }[] = [];
  #wanted: Wanted[] = [];

  private constructor(
    private readonly listener: Server,
    private readonly redis_port: number,
  ) {
    listener.on("connection", (client) => this.#join(client));
  }

  /** Before the Redis at `url`, on a free port. */
  static async start(url: string): Promise<RedisProxy> {
    const listener = createServer({ noDelay: true }).listen(0, "127.0.0.1");
    await once(listener, "listening");
    return new RedisProxy(listener, Number(new URL(url).port));
  }

  get url(): string {
    return `redis://127.0.0.1:${(this.listener.address() as AddressInfo).port}`;
  }

  /** After `after` more replies, over all connections, `fault` happens to the next. Faults follow one another. */
  plan(faults: readonly { after: number; fault: ReplyFault }[]): void {
    this.#faults = faults.map((one) => ({ ...one }));
  }

  /** Loses the reply to the next request that matches: `asked` when the request is on its way, `lost` when it happens. */
  loseReplyTo(request: RegExp): { asked: Promise<void>; lost: Promise<void> } {
    const asked = Promise.withResolvers<void>();
    const lost = Promise.withResolvers<void>();
    this.#wanted.push({ request, asked: asked.resolve, lost: lost.resolve });
    return { asked: asked.promise, lost: lost.promise };
  }

  /** Cuts every connection that is open now. */
  cut(): void {
    for (const link of this.#links) this.#end(link);
  }

  /** Leaves every connection that is open now half open; new ones work. */
  hang(): void {
    for (const link of this.#links) link.hanging = true;
  }

  async stop(): Promise<void> {
    this.listener.close();
    this.cut();
  }

  #join(client: Socket): void {
    const server = connect({ port: this.redis_port, host: "127.0.0.1", noDelay: true });
    const link: Link = { client, server, hanging: false };
    this.#links.add(link);
    const toServer = this.#lane(link, server);
    const toClient = this.#lane(link, client);
    client.on("data", (data) => {
      this.#watch(link, data);
      toServer(data);
    });
    server.on("data", (data) => {
      const fault = link.lost ? "lose" : this.#nextFault();
      if (fault === "hang") link.hanging = true;
      if (fault === "lose") {
        this.#end(link);
        link.lost?.();
      } else {
        toClient(data, fault === "cut" ? () => this.#end(link) : undefined);
      }
    });
    for (const socket of [client, server]) {
      socket.on("error", () => {}); // the other side has cut it; `close` follows
      socket.on("close", () => link.hanging || this.#end(link));
    }
  }

  /** What passes data on to `socket`, in order, each piece as late as `delay` says. */
  #lane(link: Link, socket: Socket): (data: Buffer | string, passed?: () => void) => void {
    let before = Promise.resolve();
    return (data, passed) => {
      const ms = this.delay();
      const due = ms > 0 ? Bun.sleep(ms) : undefined;
      before = before.then(async () => {
        if (due) await due;
        if (!link.hanging && !socket.destroyed) socket.write(data);
        passed?.();
      });
    };
  }

  #watch(link: Link, data: Buffer | string): void {
    const text = data.toString();
    const wanted = this.#wanted.find(({ request }) => request.test(text));
    if (!wanted) return;
    this.#wanted = this.#wanted.filter((one) => one !== wanted);
    link.lost = wanted.lost;
    wanted.asked();
  }

  #nextFault(): ReplyFault | undefined {
    const [next] = this.#faults;
    if (!next || next.after-- > 0) return undefined;
    this.#faults.shift();
    return next.fault;
  }

  /** Redis still reads what was sent to it: an ordinary end, as of a client that leaves. */
  #end(link: Link): void {
    this.#links.delete(link);
    link.client.destroy();
    link.server.end();
  }
}
