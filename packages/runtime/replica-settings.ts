import { Type } from "@sinclair/typebox";
import { type BalancerSettings, DEFAULT_SETTINGS, POLICIES } from "#balancer";

/** `dns+http://name:port` stands for every address of the name. */
const REPLICA_URL = "^(dns\\+)?https?://[^/\\s]+";

export const llmReplicaSettings = {
  LLM_REPLICAS: Type.Array(Type.String({ pattern: REPLICA_URL }), {
    minItems: 1,
    uniqueItems: true,
    default: ["http://127.0.0.1:11434"],
    description:
      "Base URLs of the LLM replicas, separated by commas, the same for the gateway and every LLM worker; `dns+http://name:port` stands for each address of the name",
  }),
  LLM_REPLICAS_FILE: Type.Optional(
    Type.String({
      description:
        "File with base URLs of replicas, one a line, in place of `LLM_REPLICAS`; read again every few seconds",
    }),
  ),
  BALANCER: Type.Union(
    POLICIES.map((policy) => Type.Literal(policy)),
    {
      default: DEFAULT_SETTINGS.policy,
      description: `How the replica of a question is chosen: ${POLICIES.map((policy) => `\`${policy}\``).join(", ")}`,
    },
  ),
  LLM_REPLICA_LIMIT: Type.Integer({
    minimum: 0,
    default: DEFAULT_SETTINGS.limit,
    description:
      "Most requests at once to one replica, over all workers; further ones wait in `job:llm_in`. 0 adapts it to the replica's latency",
  }),
  BREAKER_FAILURES: Type.Integer({
    minimum: 1,
    default: DEFAULT_SETTINGS.failures,
    description: "Failures in a row after which a replica gets no more questions for a while",
  }),
  BREAKER_ERROR_RATE: Type.Number({
    exclusiveMinimum: 0,
    maximum: 1,
    default: DEFAULT_SETTINGS.error_rate,
    description: "Share of failed requests over about ten seconds that does the same",
  }),
  BREAKER_COOLDOWN_MS: Type.Integer({
    minimum: 1,
    default: DEFAULT_SETTINGS.cooldown_ms,
    description: "First such while; each time in a row it doubles, up to 15 s, ms",
  }),
  SLOW_START_MS: Type.Integer({
    minimum: 0,
    default: DEFAULT_SETTINGS.slow_start_ms,
    description: "How long a replica that comes back takes to get its full limit, ms; 0 for at once",
  }),
};

export interface ReplicaConfig {
  readonly BALANCER: BalancerSettings["policy"];
  readonly LLM_REPLICA_LIMIT: number;
  readonly BREAKER_FAILURES: number;
  readonly BREAKER_ERROR_RATE: number;
  readonly BREAKER_COOLDOWN_MS: number;
  readonly SLOW_START_MS: number;
}

export function balancerSettings(config: ReplicaConfig): BalancerSettings {
  return {
    ...DEFAULT_SETTINGS,
    policy: config.BALANCER,
    limit: config.LLM_REPLICA_LIMIT,
    failures: config.BREAKER_FAILURES,
    error_rate: config.BREAKER_ERROR_RATE,
    cooldown_ms: config.BREAKER_COOLDOWN_MS,
    slow_start_ms: config.SLOW_START_MS,
  };
}
