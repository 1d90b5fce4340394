/** What an evaluation of answers found, for programs and for people. */

export interface AnsweredQuestion {
  readonly question: string;
  /** The document that answers it; `null` where none does. */
  readonly article: string | null;
  /** The documents that its sources are from, best source first. */
  readonly sources: readonly string[];
  /** Whether the answer is that the sources do not hold it. */
  readonly abstained: boolean;
}

/** Shares are 0 to 1. */
export interface AnswerReport {
  readonly answerable: number;
  readonly unanswerable: number;
  /** Share of the answerable questions whose best source is from the article, and with any of five from it. */
  readonly source_hit_at_1: number;
  readonly source_hit_at_5: number;
  /** Share of the unanswerable questions that are told so. */
  readonly abstention_recall: number;
  /** Share of the answerable questions that are told the same. */
  readonly false_abstentions: number;
  /** Answerable questions without a source from the article, and unanswerable ones that were answered. */
  readonly failures: readonly string[];
}

export function answerReport(answered: readonly AnsweredQuestion[]): AnswerReport {
  const answerable = answered.filter(({ article }) => article !== null);
  const unanswerable = answered.filter(({ article }) => article === null);
  const hit = (depth: number) => (each: AnsweredQuestion) =>
    each.sources.slice(0, depth).includes(each.article!);
  const abstained = (each: AnsweredQuestion) => each.abstained;
  return {
    answerable: answerable.length,
    unanswerable: unanswerable.length,
    source_hit_at_1: share(answerable, hit(1)),
    source_hit_at_5: share(answerable, hit(5)),
    abstention_recall: share(unanswerable, abstained),
    false_abstentions: share(answerable, abstained),
    failures: answered
      .filter((each) => (each.article === null ? !each.abstained : each.abstained || !hit(5)(each)))
      .map(({ question }) => question),
  };
}

/** 0 of none. */
function share<T>(values: readonly T[], holds: (value: T) => boolean): number {
  return values.length === 0 ? 0 : values.filter(holds).length / values.length;
}

export function answerReportText(report: AnswerReport): string {
  const percent = (value: number) => `${(100 * value).toFixed(1)} %`.padStart(7);
  return [
    `${report.answerable} questions that a document answers`,
    `  its best source is from that document   ${percent(report.source_hit_at_1)}`,
    `  one of its five sources is              ${percent(report.source_hit_at_5)}`,
    `  wrongly told that the sources do not say ${percent(report.false_abstentions)}`,
    `${report.unanswerable} questions that none answers`,
    `  told so                                 ${percent(report.abstention_recall)}`,
    ...report.failures.map((question) => `failed: ${question}`),
  ].join("\n");
}
