import { type CorrelationId, type ErrorCode, errorMeanings } from '@starling/contracts';

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
}): string {
  const { code, correlationId, retryAtMs } = failure;
  const { retryable, userText } = errorMeanings[code];
  return [
    userText.replace(/\.$/, ''),
    ...(retryable && retryAtMs !== undefined
      ? [`try again <t:${Math.ceil(retryAtMs / 1000)}:R>`]
      : []),
    `id ${correlationId}`,
  ].join(' · ');
}
