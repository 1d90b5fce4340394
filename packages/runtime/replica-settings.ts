import { Type } from "@sinclair/typebox";

export const llmReplicaSettings = {
  LLM_REPLICAS: Type.Array(Type.String({ pattern: "^https?://[^/\\s]+" }), {
    minItems: 1,
    uniqueItems: true,
    default: ["http://127.0.0.1:11434"],
    description:
      "Base URLs of the LLM replicas, separated by commas; the same for the gateway and every LLM worker",
  }),
};
