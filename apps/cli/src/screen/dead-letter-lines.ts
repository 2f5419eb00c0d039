import type { DeadLetter } from '@starling/jobs';
import { durationText } from './time-text.ts';

/** A dead letter in one line. */
export function deadLetterLine(letter: DeadLetter, nowMs: number): string {
  const { attempts, correlationId, diedAtMs, guildKey, name, reason, userKey } = letter;
  const tries = attempts === 1 ? '1 attempt' : `${attempts} attempts`;
  return [
    name,
    reason.kind === 'unreadable'
      ? `unreadable: ${reason.problem.replaceAll(/\s+/g, ' ')}`
      : `${reason.kind === 'failed' ? reason.code : 'ended, but undelivered,'} after ${tries}`,
    ...(guildKey ? [`guild ${guildKey}`] : []),
    ...(userKey ? [`user ${userKey}`] : []),
    `given up ${durationText(nowMs - diedAtMs)} ago`,
    ...(correlationId ? [`id ${correlationId}`] : []),
  ].join(' · ');
}
