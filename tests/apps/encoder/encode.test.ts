import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { type EmbeddingIn, packEmbedding } from "#contracts";
import { loadModel } from "#embedding";
import { Completed, Fail } from "#queue";
import { encodeHandler } from "../../../apps/encoder/encode.ts";
import { QuestionVectors } from "../../../apps/encoder/question-vectors.ts";
import { directory } from "../../packages/embedding/model-root.ts";
import { encoderJob } from "../../support/jobs.ts";

setDefaultTimeout(60_000);

const model = await loadModel({ directory });
afterAll(() => model.close());
const encode = encodeHandler({ model, vectors: new QuestionVectors({ model, most: 10 }) });

function embeddingJob(text: string): EmbeddingIn {
  const { job_id, submitted_at, deadline, reply_to, timings } = encoderJob();
  return { job_id, submitted_at, deadline, reply_to, timings, only: "embedding", text };
}

test("questions go on with their vectors, texts are done, and one that is too long fails alone", async () => {
  const [question, text, long] = [
    encoderJob(),
    embeddingJob("A queue is a line."),
    embeddingJob("word ".repeat(300)),
  ];
  const outcomes = await encode([text, long, question]);
  const [of_text, of_question] = await model.embed([text.text, question.query]);
  expect(outcomes[2]).toEqual({ ...question, embedding: packEmbedding(of_question!) });
  expect(outcomes[0]).toBeInstanceOf(Completed);
  expect((outcomes[0] as Completed).completion).toMatchObject({
    job_id: text.job_id,
    embedding: packEmbedding(of_text!),
    tokens: model.tokenize(text.text).length,
  });
  expect(outcomes[1]).toBeInstanceOf(Fail);
  expect((outcomes[1] as Fail).code).toBe("context_length_exceeded");
});
