import { questions } from "./loadtest/questions.ts";

/** The load test's questions, told apart by a number at their end: none is asked twice. */
export function distinctQuestion(index: number): string {
  return `${questions[index % questions.length]} (${index})`;
}
