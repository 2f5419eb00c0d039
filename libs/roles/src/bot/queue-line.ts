/** What a person reads in the place of an answer while its job waits (features B6). */
import type { QueuePlace } from '@starling/contracts';

/** A shorter wait than this is over before its line was read. */
const leastWaitMs = 1_000;

/** `In line: place 12, about 8 s`; without the wait where nobody can tell. */
export function queueLine(place: QueuePlace): string {
  return place.position === 0 ? `Next in line${waitText(place)}` : `In line: ${placeText(place)}`;
}

/** `place 12, about 8 s`, within a sentence. */
export function placeText(place: QueuePlace): string {
  return `place ${place.position + 1}${waitText(place)}`;
}

/** Whether a text is one of {@link queueLine}, and so no part of an answer. */
export function isQueueLine(text: string): boolean {
  return /^(?:Next in line|In line: place \d+)(?:, about \d+ (?:s|min))?$/.test(text.trim());
}

/** Whether a wait is worth a first line. */
export function isWorthALine({ waitMs = Number.POSITIVE_INFINITY }: QueuePlace): boolean {
  return waitMs >= leastWaitMs;
}

/** In steps that grow with the wait, so that the line changes when there is something to say. */
function waitText({ waitMs }: QueuePlace): string {
  if (waitMs === undefined) return '';
  const seconds = Math.max(1, Math.ceil(waitMs / 1_000));
  if (seconds <= 10) return `, about ${seconds} s`;
  if (seconds <= 55) return `, about ${Math.ceil(seconds / 5) * 5} s`;
  return `, about ${Math.ceil(seconds / 60)} min`;
}
