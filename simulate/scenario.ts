/** What is simulated: replicas as they are, what comes, and what goes wrong. Times in ms. */
import { type BalancerSettings, DEFAULT_SETTINGS } from "#balancer";

export type Draw =
  | { readonly kind: "constant" | "exponential"; readonly mean: number }
  | { readonly kind: "log-normal"; readonly mean: number; readonly sigma: number }
  | { readonly kind: "recorded"; readonly samples: readonly number[] };

export interface ReplicaModel {
  /** Calls that it serves at once, each at full speed. */
  readonly slots: number;
  /** Beyond its slots it shares itself among all calls (processor sharing); else further ones wait in order. */
  readonly shared: boolean;
  /** A call takes so many times its service time. */
  readonly slow: number;
  readonly fail_rate: number;
  /** After which a call fails. */
  readonly fail_ms: number;
  /** What a call takes here, in place of the job's own service time. */
  readonly takes?: Draw;
}

/** `refuse`: it is down. `hang`: it takes calls and gives no sign until it is `ok` again. */
export interface Fault {
  readonly at: number;
  /** Its number, from 1. */
  readonly replica: number;
  readonly mode?: "ok" | "refuse" | "hang";
  readonly slow?: number;
  readonly fail_rate?: number;
}

export interface Scenario {
  readonly about: string;
  readonly replicas: readonly ReplicaModel[];
  readonly service: Draw;
  readonly arrivals: { readonly per_ms: number } | { readonly gaps: readonly number[] };
  readonly faults: readonly Fault[];
  readonly settings: BalancerSettings;
  /** From admission to dispatch: the encoder and the retriever; half of it for the nearest gateway, 1.5x for the farthest. */
  readonly line_ms: number;
  readonly gateways: number;
  readonly first_token_ms: number;
  readonly deadline_ms: number;
  /** How often replicas are asked whether they are well; 0 for never. */
  readonly health_ms: number;
  readonly queries: number;
  /** Share of the queries, the first ones, that are not counted. */
  readonly warm_up: number;
}

export function replica(model: Partial<ReplicaModel> = {}): ReplicaModel {
  return { slots: 8, shared: false, slow: 1, fail_rate: 0, fail_ms: 2, ...model };
}

const many = (n: number, model: Partial<ReplicaModel> = {}) =>
  Array.from({ length: n }, () => replica(model));

const BASE = {
  service: { kind: "constant", mean: 50 },
  faults: [],
  settings: DEFAULT_SETTINGS,
  line_ms: 5,
  gateways: 2,
  first_token_ms: 30_000,
  deadline_ms: 60_000,
  health_ms: 5_000,
  queries: 20_000,
  warm_up: 0.05,
} as const;

type Given = Pick<Scenario, "about" | "replicas"> & Partial<Omit<Scenario, "arrivals">>;

/** `load`: arrivals as a share of what the replicas can answer, without their faults. */
export function scenario(load: number, given: Given): Scenario {
  const all = { ...BASE, ...given };
  return { ...all, arrivals: { per_ms: load * capacity(all) } };
}

/** Answers that the replicas can give, per ms. */
export function capacity({ replicas, service }: Pick<Scenario, "replicas" | "service">): number {
  const mean = (draw: Draw) =>
    draw.kind === "recorded" ? draw.samples.reduce((a, b) => a + b, 0) / draw.samples.length : draw.mean;
  return replicas.reduce(
    (sum, { slots, slow, fail_rate, takes }) =>
      sum + (slots * (1 - fail_rate)) / (takes ? mean(takes) : slow * mean(service)),
    0,
  );
}

/** The one replica of `n` that something happens to, on and off. */
function timesOf(
  from: number,
  every: number,
  n: number,
  on: Omit<Fault, "at" | "replica">,
  off: typeof on,
  lasts: number,
) {
  return Array.from({ length: n }, (_, i) => [
    { at: from + i * every, replica: 1, ...on },
    { at: from + i * every + lasts, replica: 1, ...off },
  ]).flat();
}

const ANSWERS = { kind: "log-normal", mean: 50, sigma: 0.6 } as const;

export const SCENARIOS: Record<string, Scenario> = {
  equal: scenario(0.7, { about: "three equal replicas", replicas: many(3) }),
  slow: scenario(0.7, {
    about: "one of three is five times slower",
    replicas: [replica({ slow: 5 }), ...many(2)],
  }),
  failing: scenario(0.7, {
    about: "one of three fails half of its calls, at once",
    replicas: [replica({ fail_rate: 0.5 }), ...many(2)],
  }),
  "failing-full": scenario(0.84, {
    about: "the same, at 70 % of what all three could answer if none failed: two alone cannot do it",
    replicas: [replica({ fail_rate: 0.5 }), ...many(2)],
  }),
  hanging: scenario(0.7, {
    about: "one of three hangs for 5 s of 15, and returns",
    replicas: many(3),
    faults: timesOf(5_000, 15_000, 10, { mode: "hang" }, { mode: "ok" }, 5_000),
  }),
  slowing: scenario(0.7, {
    about: "one of three is five times slower for 20 s of 40",
    replicas: many(3),
    faults: timesOf(10_000, 40_000, 4, { slow: 5 }, { slow: 1 }, 20_000),
    queries: 50_000,
  }),
  crashing: scenario(0.6, {
    about: "one of three is down for 10 s of 30, then cold: 4x slower for 3 s",
    replicas: many(3),
    faults: timesOf(5_000, 30_000, 4, { mode: "refuse" }, { mode: "ok", slow: 4 }, 10_000)
      .concat(timesOf(18_000, 30_000, 4, { slow: 1 }, {}, 1))
      .sort((a, b) => a.at - b.at),
    queries: 30_000,
  }),
  answers: scenario(0.7, {
    about: "answers of very different length (log-normal), one of three five times slower",
    replicas: [replica({ slow: 5 }), ...many(2)],
    service: ANSWERS,
  }),
  sharing: scenario(0.7, {
    about: "replicas that share themselves among their calls, one of three five times slower",
    replicas: [replica({ shared: true, slow: 5 }), ...many(2, { shared: true })],
    service: ANSWERS,
  }),
  single: scenario(0.7, {
    about: "one call at a time each, four replicas, one three times slower",
    replicas: [replica({ slots: 1, slow: 3 }), ...many(3, { slots: 1 })],
    service: ANSWERS,
  }),
  fleet: scenario(0.7, {
    about:
      "thirty replicas of three speeds, ten gateways, one fails half of its calls, one hangs for 10 s of 20",
    replicas: many(30).map((model, i) => ({ ...model, slow: 1 + (i % 3), fail_rate: i === 29 ? 0.5 : 0 })),
    service: ANSWERS,
    gateways: 10,
    faults: timesOf(5_000, 20_000, 3, { mode: "hang" }, { mode: "ok" }, 10_000),
    queries: 50_000,
  }),
  thousand: scenario(0.7, {
    about: "a thousand replicas of two speeds, fifty gateways",
    replicas: many(1_000, { slots: 1 }).map((model, i) => ({ ...model, slow: 1 + (i % 2) })),
    service: ANSWERS,
    gateways: 50,
    queries: 5_000,
  }),
};
