import { estimateTokens } from '@starling/chat';
import type { AnswerEnding } from './question.ts';

/** LLM tokens that a question came to, for the budgets; a call that several share counts for one of them. */
export function tokensOf({ ending, result }: AnswerEnding): number {
  const { report } = ending;
  if (report.kind === 'answered') {
    const { completionTokens, promptTokens } = report.usage;
    return report.shared ? 0 : promptTokens + completionTokens;
  }
  // What was streamed of an answer that failed or was stopped has been paid for.
  return result?.outcome.kind === 'failed' ? estimateTokens(result.outcome.partialText) : 0;
}
