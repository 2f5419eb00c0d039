import { messageId, userId } from '@starling/contracts';
import type { Turn } from './conversations.ts';

/** Longest question or answer kept, UTF-16 units: more than any context budget takes from it. */
const maxStoredLength = 8_000;

/** The turn as it is kept: its texts cut to the bound, so that a record has a largest size. */
export function storedTurn(turn: Turn): Turn {
  return {
    messageId: turn.messageId,
    speaker: { id: turn.speaker.id, name: turn.speaker.name },
    question: turn.question.slice(0, maxStoredLength),
    answer: turn.answer.slice(0, maxStoredLength),
  };
}

/** The turn of a stored value, or undefined for anything else. */
export function readTurn(stored: unknown): Turn | undefined {
  if (typeof stored !== 'string') return undefined;
  let json: unknown;
  try {
    json = JSON.parse(stored);
  } catch {
    return undefined;
  }
  if (!isRecord(json) || !isRecord(json.speaker)) return undefined;
  const { answer, question, speaker } = json;
  const message = messageId.safeParse(json.messageId);
  const author = userId.safeParse(speaker.id);
  if (!message.success || !author.success || typeof speaker.name !== 'string') return undefined;
  if (typeof question !== 'string' || typeof answer !== 'string') return undefined;
  return {
    messageId: message.data,
    speaker: { id: author.data, name: speaker.name },
    question,
    answer,
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
