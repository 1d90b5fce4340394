/** The queues of the line and what may lie in each: a name and its contract, declared together. */
import type { TSchema } from "@sinclair/typebox";
import { type Contract, contract } from "./check.ts";
import { Completion, DeadLetter, EncoderIn, Envelope, IndexIn, LlmIn, RetrieverIn } from "./messages.ts";

/** A Redis list and the contract of its messages. */
export interface Queue<S extends TSchema = TSchema> {
  readonly name: string;
  readonly message: Contract<S>;
}

const queue = <S extends TSchema>(name: string, schema: S): Queue<S> => ({ name, message: contract(schema) });

export const queues = {
  encoderIn: queue("job:encoder_in", EncoderIn),
  retrieverIn: queue("job:retriever_in", RetrieverIn),
  llmIn: queue("job:llm_in", LlmIn),
  indexIn: queue("job:index_in", IndexIn),
};

export const envelopeContract = contract(Envelope);
export const completionContract = contract(Completion);
export const deadLetterContract = contract(DeadLetter);
