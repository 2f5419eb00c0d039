import { hash } from 'node:crypto';
import type { Buckets } from '@starling/buckets';
import type { Clock, Random } from '@starling/clock';
import type { Provider } from '../provider.ts';
import type { ProviderConfig } from '../provider-choice.ts';
import { LimitedProvider } from './limited-provider.ts';

/** Puts one key's calls within what the fleet may ask of it. */
export type WithinLimits = (
  provider: Provider,
  of: { readonly place: string; readonly key: string | undefined },
) => Provider;

/** A rung that finds no room for so long is left to the next one. */
const besideOthersMs = 1_000;

/** Whether the settings limit what the fleet asks of a provider under one key. */
export function isLimited(config: ProviderConfig): boolean {
  return config.requestsPerMinute > 0 || config.tokensPerMinute > 0;
}

/** The limits of the settings; undefined when there are none, or nothing that keeps them. */
export function withinLimits(
  config: ProviderConfig,
  parts: {
    readonly clock: Clock;
    readonly random: Random;
    readonly buckets?: Buckets | undefined;
    /** There may be another rung that has room. */
    readonly hasOthers: boolean;
  },
): WithinLimits | undefined {
  const { buckets, clock, hasOthers, random } = parts;
  if (!buckets || !isLimited(config)) return undefined;
  const { limitWaitMs, requestsPerMinute, tokensPerMinute } = config;
  const waitMs = hasOthers ? Math.min(besideOthersMs, limitWaitMs) : limitWaitMs;
  return (provider, { key, place }) => {
    // A hash: the label is written to Redis and to logs.
    const label = `${place}:${key === undefined ? 'none' : hash('sha256', key).slice(0, 12)}`;
    const limits = { buckets, label, requestsPerMinute, tokensPerMinute, waitMs };
    return new LimitedProvider(provider, { ...limits, clock, random });
  };
}
