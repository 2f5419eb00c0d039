/**
 * The closed set of ways a job can fail, and what follows from each. Codes are stable: they stand in
 * logs, on spans and in results that other versions read.
 */
export interface ErrorMeaning {
  /** May another attempt succeed without anyone changing the request? */
  readonly retryable: boolean;
  /** What the user is told; calm, and without blame or internals (features F10). */
  readonly userText: string;
}

export const errorMeanings = {
  provider_unavailable: {
    retryable: true,
    userText: 'The language model cannot be reached right now.',
  },
  provider_timeout: { retryable: true, userText: 'The language model took too long to answer.' },
  provider_refused: {
    retryable: false,
    userText: 'The language model did not accept this request.',
  },
  provider_limited: { retryable: true, userText: 'The language model is busy right now.' },
  answer_cut: { retryable: true, userText: 'The answer broke off before its end.' },
  deadline_exceeded: {
    retryable: true,
    userText: 'I could not answer this in time.',
  },
  model_not_found: {
    retryable: false,
    userText: 'The language model that was asked for is not available here.',
  },
  no_worker: { retryable: true, userText: 'Nobody is free to answer right now.' },
  too_busy: { retryable: true, userText: 'Too many questions are waiting at the moment.' },
  user_busy: {
    retryable: true,
    userText: 'You already have several questions waiting. Let me answer those first.',
  },
  too_long: { retryable: false, userText: 'That message is too long for me to read at once.' },
  empty: { retryable: false, userText: 'There is no text in that message for me to answer.' },
  cancelled: { retryable: false, userText: 'Stopped.' },
  gave_up: {
    retryable: true,
    userText: 'I tried this several times and could not finish it.',
  },
  internal: { retryable: true, userText: 'Something went wrong on my side.' },
} as const satisfies Record<string, ErrorMeaning>;

/** A stable code of {@link errorMeanings}. */
export type ErrorCode = keyof typeof errorMeanings;

export const errorCodes = Object.keys(errorMeanings) as [ErrorCode, ...ErrorCode[]];

/** Ways a question can be refused before it is a job; no result has them. */
export const refusalMeanings = {
  ...errorMeanings,
  user_limited: { retryable: true, userText: 'You have asked a lot in a short time.' },
  channel_limited: {
    retryable: true,
    userText: 'This channel has asked a lot in a short time.',
  },
  guild_limited: { retryable: true, userText: 'This server has asked a lot in a short time.' },
  user_budget: { retryable: true, userText: 'Your share of answers is used up for now.' },
  channel_budget: {
    retryable: true,
    userText: 'The share of answers of this channel is used up for now.',
  },
  guild_budget: {
    retryable: true,
    userText: 'The share of answers of this server is used up for now.',
  },
} as const satisfies Record<string, ErrorMeaning>;

/** A stable code of {@link refusalMeanings}. */
export type RefusalCode = keyof typeof refusalMeanings;
