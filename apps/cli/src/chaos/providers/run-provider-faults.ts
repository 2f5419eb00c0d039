/** A load of questions while rungs of the ladder fail at random, judged by what stands below each question. */
import type { Clock } from '@starling/clock';
import { readAnswers } from '../answers.ts';
import { MessageLoad } from '../message-load.ts';
import type { FaultRule, PlayedFault } from './provider-door.ts';
import type { ProviderFleet } from './provider-fleet.ts';

/** What has to hold of a run. */
interface Bounds {
  readonly answeredRatio: number;
  readonly callsPerRequest: number;
}

/** With this many rungs of two that fail 30 % of their calls. */
const boundsOf: Readonly<Record<1 | 2, Bounds>> = {
  1: { answeredRatio: 0.995, callsPerRequest: 1.15 },
  2: { answeredRatio: 0.99, callsPerRequest: 1.6 },
};

export interface ProviderFaultsRun {
  readonly faultyRungs: 1 | 2;
  readonly ok: boolean;
  readonly requests: number;
  /** Questions below which the complete text stands. */
  readonly answered: number;
  readonly answeredRatio: number;
  /** Calls of the provider for a question, after the first hundred questions. */
  readonly callsPerRequest: number;
  /** Calls that a fault struck. */
  readonly struck: number;
  readonly firstTextMs: { readonly p50: number; readonly p99: number };
  readonly bounds: Bounds;
}

const perSecond = 20;
/** Meanwhile the workers find out which rung is bad. */
const warmUp = 100;
const faultShare = 0.3;
const afterTokens = 8;
/** A job has 60 s; the rest is for our looks. */
const settleMs = 70_000;
const lookEveryMs = 500;

/**
 * Every kind of fault that a server can be blamed for. An endless stream is none of them: it is an answer
 * until it is cut, and a scenario of its own.
 */
const kinds: readonly PlayedFault[] = [
  ...[408, 429, 500, 502, 503, 504, 529].map((status) => ({ kind: 'status', status })),
  { kind: 'header-stall' },
  { kind: 'first-token-stall' },
  { kind: 'mid-stream-stall', afterTokens },
  { kind: 'truncated', afterTokens },
  { kind: 'truncated', afterTokens, abrupt: true },
  { kind: 'error-in-stream', afterTokens: 0 },
  { kind: 'error-in-stream', afterTokens },
  { kind: 'reset', at: 'before' },
  { kind: 'reset', at: 'mid', afterTokens },
  { kind: 'garbage-json', afterTokens },
  { kind: 'huge-chunk', afterTokens },
];

export async function runProviderFaults(of: {
  readonly fleet: ProviderFleet;
  readonly faultyRungs: 1 | 2;
  readonly seed: number;
  /** How long the load lasts after its first hundred questions. */
  readonly seconds: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}): Promise<ProviderFaultsRun> {
  const { clock, faultyRungs, fleet, seconds, seed, signal } = of;
  const { discord, provider, speaker } = fleet;
  // Each run has models, and so calls in the record, of its own.
  const models = [`first-of-${faultyRungs}`, `second-of-${faultyRungs}`];
  await provider.setModels(models, { seed });
  await fleet.climb(
    `faulty-${faultyRungs}`,
    models.map((model) => ({ model })),
  );
  const rules: readonly FaultRule[] = models
    .slice(0, faultyRungs)
    .map((model) => ({ match: { model }, probability: faultShare, fault: kinds }));
  await provider.setFaults(rules, seed);

  const load = new MessageLoad({
    clock,
    say: (saying) => discord.say(saying),
    speaker: (n) => ({
      ...speaker(n),
      content: `Question ${n}: how do starlings turn together? [[tag:${n}]]`,
    }),
  });
  const over = new AbortController();
  const sending = load.run({ perSecond, signal: AbortSignal.any([over.signal, signal]) });
  await clock.sleep((warmUp / perSecond + seconds) * 1000, { signal });
  over.abort();
  await sending;

  const ids = load.messages.map(({ id }) => id);
  const endMs = clock.monotonicMs() + settleMs;
  let answers = await readAnswers(discord, ids);
  const open = () =>
    [...answers.values()].some(({ verdict }) => /^(?:none|halfway)$/.test(verdict));
  while (open() && clock.monotonicMs() < endMs) {
    await clock.sleep(lookEveryMs, { signal });
    answers = await readAnswers(discord, ids);
  }
  const calls = (await provider.calls()).filter(({ model }) => models.includes(model ?? ''));
  const later = load.messages.filter(({ n }) => n >= warmUp).length;
  const answered = [...answers.values()].filter(({ verdict }) => verdict === 'whole').length;
  const bounds = boundsOf[faultyRungs];
  const told = {
    answeredRatio: round(answered / ids.length),
    callsPerRequest: round(calls.filter(({ tag = 0 }) => tag >= warmUp).length / later),
  };
  const firstTexts = [...answers.values()]
    .flatMap(({ firstTextMs }) => firstTextMs ?? [])
    .sort((a, b) => a - b);
  return {
    faultyRungs,
    ok:
      told.answeredRatio >= bounds.answeredRatio &&
      told.callsPerRequest <= bounds.callsPerRequest &&
      load.unsent === 0,
    ...{ requests: ids.length, answered, ...told },
    struck: calls.filter(({ fault }) => fault !== undefined).length,
    firstTextMs: { p50: percentile(firstTexts, 0.5), p99: percentile(firstTexts, 0.99) },
    bounds,
  };
}

const round = (value: number) => Math.round(value * 10_000) / 10_000;

function percentile(sorted: readonly number[], share: number): number {
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0);
}
