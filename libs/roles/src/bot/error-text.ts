import {
  type CorrelationId,
  type QueuePlace,
  type RefusalCode,
  refusalMeanings,
} from '@starling/contracts';
import { placeText } from './queue-line.ts';

/**
 * What a user reads when there is no answer: the reason, when to try again where that may help, and
 * the id to ask about (features F10). `<t:…:R>` is shown in the reader's own time and language
 * (discord.com/developers/docs/reference#message-formatting-timestamp-styles).
 */
export function errorText(failure: {
  readonly code: RefusalCode;
  /** Wall-clock milliseconds; left out where trying again changes nothing. */
  readonly retryAtMs: number | undefined;
  readonly correlationId: CorrelationId;
  /** Of the user's or guild's questions that it would have to wait for, where the first one stands. */
  readonly placeBefore?: QueuePlace | undefined;
  /** Where it would have stood itself. */
  readonly place?: QueuePlace | undefined;
}): string {
  const { code, correlationId, place, placeBefore, retryAtMs } = failure;
  const { retryable, userText } = refusalMeanings[code];
  return [
    userText.replace(/\.$/, ''),
    ...(placeBefore ? [`the first of them: ${placeText(placeBefore)}`] : []),
    ...(place ? [`this one would be at ${placeText(place)}`] : []),
    ...(retryable && retryAtMs !== undefined
      ? [`try again <t:${Math.ceil(retryAtMs / 1000)}:R>`]
      : []),
    `id ${correlationId}`,
  ].join(' · ');
}
