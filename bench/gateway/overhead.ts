/** What the gateway itself costs a request: the gateway with the line stubbed beside bare Elysia handlers, in turn. */
import { type Spread, spread } from "../rounds.ts";
import { httpLoad } from "./http-load.ts";
import { MeasuredServer } from "./measured-server.ts";

export const CONNECTIONS = 256;

const SERVERS = {
  gateway: ["bench/programs/stubbed-gateway.ts"],
  bytes: ["bench/programs/bare-elysia.ts", "bytes"],
  checked: ["bench/programs/bare-elysia.ts", "checked"],
} as const;
export type ServerName = keyof typeof SERVERS;

export interface Overhead {
  readonly rounds: number;
  readonly figures: Record<ServerName, { readonly requests_per_s: Spread; readonly cpu_us: Spread }>;
  /** The gateway's requests/s over a bare handler's, round by round. */
  readonly ratios: Record<Exclude<ServerName, "gateway">, Spread>;
}

interface Figures {
  readonly requests_per_s: number;
  /** Of the server's process, a request. */
  readonly cpu_us: number;
}

export async function measureOverhead(amounts: {
  readonly rounds: number;
  readonly warm_up: number;
  readonly requests: number;
}): Promise<Overhead> {
  const names = Object.keys(SERVERS) as ServerName[];
  const body = JSON.stringify({ query: "What is machine learning?", top_k: 5 });
  const servers = Object.fromEntries(
    names.map((name) => [name, new MeasuredServer(SERVERS[name][0], SERVERS[name].slice(1))]),
  ) as Record<ServerName, MeasuredServer>;
  const load = async (name: ServerName, requests: number): Promise<Figures> => {
    const server = servers[name];
    const port = await server.port;
    const before = await server.cpu();
    const requests_per_s = await httpLoad({ port, connections: CONNECTIONS, requests, body });
    return { requests_per_s, cpu_us: (1_000 * ((await server.cpu()) - before)) / requests };
  };
  const rounds: Record<ServerName, Figures>[] = [];
  try {
    for (const name of names) await load(name, amounts.warm_up);
    while (rounds.length < amounts.rounds) {
      const round: Partial<Record<ServerName, Figures>> = {};
      for (const name of names) round[name] = await load(name, amounts.requests);
      rounds.push(round as Record<ServerName, Figures>);
    }
  } finally {
    await Promise.all(Object.values(servers).map((server) => server.stop()));
  }
  const of = (name: ServerName) => ({
    requests_per_s: spread(rounds.map((round) => round[name].requests_per_s)),
    cpu_us: spread(rounds.map((round) => round[name].cpu_us)),
  });
  const to = (name: ServerName) =>
    spread(rounds.map((round) => round.gateway.requests_per_s / round[name].requests_per_s));
  return {
    rounds: amounts.rounds,
    figures: { gateway: of("gateway"), bytes: of("bytes"), checked: of("checked") },
    ratios: { bytes: to("bytes"), checked: to("checked") },
  };
}
