/** The emulated models that the benchmarks ask for. */

/** Fifty LLM tokens at once: what is left of a latency is the path's. */
export const instant = {
  name: 'bench-instant',
  headersMs: { median: 0 },
  firstTokenMs: { median: 0 },
  tokensPerSecond: { median: 1_000_000 },
  answerTokens: { median: 50 },
} as const;

/** A first token after 200 ms and one every 10 ms after it, without any spread: streams to be timed. */
export const steadyStream = {
  name: 'bench-stream',
  headersMs: { median: 5 },
  firstTokenMs: { median: 200 },
  tokensPerSecond: { median: 100 },
  answerTokens: { median: 50 },
} as const;

/** Answers in one piece after as many milliseconds as it is told LLM tokens: a service time per call. */
export const timed = {
  name: 'bench-timed',
  headersMs: { median: 0 },
  firstTokenMs: { median: 0 },
  tokensPerSecond: { median: 1_000 },
  tokensPerChunk: 10_000,
  answerTokens: { median: 80 },
} as const;

/** Talks for three seconds: long enough to be left in the middle. */
export const talker = {
  name: 'bench-talker',
  headersMs: { median: 5 },
  firstTokenMs: { median: 50 },
  tokensPerSecond: { median: 20 },
  answerTokens: { median: 60 },
} as const;

/** Half a second of talk: over before some of those who mean to leave. */
export const quitter = {
  name: 'bench-quitter',
  headersMs: { median: 5 },
  firstTokenMs: { median: 20 },
  tokensPerSecond: { median: 20 },
  answerTokens: { median: 10 },
} as const;

/** Says nothing for half a minute: a call that keeps its slot. */
export const holder = {
  name: 'bench-holder',
  headersMs: { median: 30_000 },
  firstTokenMs: { median: 30_000 },
  tokensPerSecond: { median: 1_000 },
  answerTokens: { median: 5 },
} as const;

/** The same for a second and a half. */
export const dozer = {
  ...holder,
  name: 'bench-dozer',
  headersMs: { median: 1_500 },
  firstTokenMs: { median: 1_500 },
} as const;

export const benchModels = [instant, steadyStream, timed, talker, quitter, holder, dozer];
