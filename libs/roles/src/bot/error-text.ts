import { type CorrelationId, type ErrorCode, errorMeanings } from '@starling/contracts';
import { placeText, type QueuePlace } from './queue-line.ts';

/**
 * What a user reads when there is no answer: the reason, when to try again where that may help, and
 * the id to ask about (features F10). `<t:…:R>` is shown in the reader's own time and language
 * (discord.com/developers/docs/reference#message-formatting-timestamp-styles).
 */
export function errorText(failure: {
  readonly code: ErrorCode;
  /** Wall-clock milliseconds; left out where trying again changes nothing. */
  readonly retryAtMs: number | undefined;
  readonly correlationId: CorrelationId;
  /** Of those that keep it waiting, where the first one waits itself. */
  readonly place?: QueuePlace | undefined;
}): string {
  const { code, correlationId, place, retryAtMs } = failure;
  const { retryable, userText } = errorMeanings[code];
  return [
    userText.replace(/\.$/, ''),
    ...(place ? [`the first of them: ${placeText(place)}`] : []),
    ...(retryable && retryAtMs !== undefined
      ? [`try again <t:${Math.ceil(retryAtMs / 1000)}:R>`]
      : []),
    `id ${correlationId}`,
  ].join(' · ');
}
