import {
  type Exchange,
  encode,
  exchangeContract,
  type PhaseTimes,
  subjects,
} from '@starling/contracts';
import { counter, type Logger } from '@starling/telemetry';
import type { BotParts } from './bot-parts.ts';
import type { AnswerEnding } from './question.ts';

const endings = counter('starling.bot.endings');

/** Tells whoever listens how a question ended, and writes the one line that the log has for it. */
export function reportEnding(
  ended: AnswerEnding,
  parts: Pick<BotParts, 'bus' | 'clock' | 'clusterId'> & { readonly logger: Logger },
): void {
  const { bus, clock, clusterId, logger } = parts;
  const { ending, question, result } = ended;
  const exchange: Exchange = {
    jobId: question.jobId,
    clusterId,
    correlationId: question.correlationId,
    origin: question.origin,
    ending: toldEnding(ending.report),
    posts: ended.posts,
    edits: ended.edits,
    phases: phasesOf(ended),
    ...(ended.firstTextMs !== undefined && { firstTextMs: rounded(ended.firstTextMs) }),
    totalMs: rounded(clock.monotonicMs() - question.receivedAtMs),
    services: ['bot', ...(result ? ['balancer'] : []), ...(result?.servedBy ? ['worker'] : [])],
  };
  const { kind } = ending.report;
  const code = 'code' in ending.report ? ending.report.code : undefined;
  endings.add(1, { kind, ...(code && { code }) });
  const detail = {
    totalDurationMs: exchange.totalMs,
    phases: exchange.phases,
    end: ended.end,
    posts: ended.posts,
    edits: ended.edits,
    ...(code && { code }),
  };
  if (kind === 'answered') logger.ok('message.answered', detail);
  else if (kind === 'refused') logger.info('message.refused', detail);
  else if (code === 'cancelled') logger.info('message.stopped', detail);
  else logger.warn('message.failed', detail);
  try {
    bus.messaging.publish(subjects.exchange(clusterId), encode(exchangeContract, exchange));
  } catch (error) {
    // At most once by its contract: a listener that hears nothing is no reason to fail an answer.
    logger.debug('exchange.unpublished', { error });
  }
}

/** An exchange has the codes of jobs alone: a limit on how often one may ask is told as one on places. */
function toldEnding(report: AnswerEnding['ending']['report']): Exchange['ending'] {
  if (report.kind === 'answered') return report;
  const { code, kind } = report;
  switch (code) {
    case 'user_limited':
    case 'user_budget':
      return { kind, code: 'user_busy' };
    case 'channel_limited':
    case 'channel_budget':
    case 'guild_limited':
    case 'guild_budget':
      return { kind, code: 'too_busy' };
    default:
      return { kind, code };
  }
}

/** Our own phases and those that only the worker could measure; none for work that was not done. */
function phasesOf({ question, result }: AnswerEnding): PhaseTimes {
  const { times } = question.timeline;
  if (!result) return times;
  const { dispatchMs, llmMs, queueMs } = result.timings;
  return {
    ...times,
    queue: rounded(queueMs),
    ...(result.servedBy && { dispatch: rounded(dispatchMs), llm: rounded(llmMs) }),
  };
}

/** To the microsecond. */
function rounded(ms: number): number {
  return Math.round(Math.max(0, ms) * 1000) / 1000;
}
