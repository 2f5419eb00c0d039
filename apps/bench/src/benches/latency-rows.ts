import { type Limit, type Row, row } from '../report/row.ts';
import type { Samples } from '../rounds/compare.ts';
import { medianPerRound } from '../rounds/interleave.ts';
import type { Sample } from '../rounds/measure.ts';
import type { Histogram } from '../stats/histogram.ts';

/** The names under which a target's added time is told, with what it must reach. */
interface Added {
  readonly target: string;
  readonly what: string;
  readonly limits?: { readonly p50: Limit; readonly p99: Limit };
}

const wholeTargets: readonly Added[] = [
  {
    target: 'fleet',
    what: 'ephemeral',
    limits: { p50: { max: 2 }, p99: { max: 15 } },
  },
  {
    target: 'fleet-durable',
    what: 'durable',
    limits: { p50: { max: 6 }, p99: { max: 30 } },
  },
  { target: 'haproxy', what: 'HAProxy leastconn' },
  { target: 'portkey', what: 'Portkey 1.15.2' },
];

const streamTargets: readonly Added[] = [
  {
    target: 'fleet',
    what: 'ephemeral',
    limits: { p50: { max: 3 }, p99: { max: 15 } },
  },
  { target: 'haproxy', what: 'HAProxy leastconn' },
  { target: 'portkey', what: 'Portkey 1.15.2' },
];

/** What each target adds to a direct call, round by round: the median of the differences. */
export function latencyRows(samples: {
  readonly whole: Samples;
  readonly streams: Samples;
}): Row[] {
  return [
    ...addedRows(samples.whole, wholeTargets, {
      id: 'latency',
      what: 'added latency at 300 requests/s, tracing on',
      of: ({ result }) => result.latency,
    }),
    ...addedRows(samples.streams, streamTargets, {
      id: 'first-token',
      what: 'first token added at 60 streams/s',
      of: ({ result }) => result.firstToken,
    }),
  ];
}

function addedRows(
  samples: Samples,
  targets: readonly Added[],
  measured: {
    readonly id: string;
    readonly what: string;
    readonly of: (sample: Sample) => Histogram;
  },
): Row[] {
  return targets.flatMap(({ target, what, limits }) =>
    ([50, 99] as const).map((percent) => {
      const limit = limits?.[`p${percent}`];
      return row({
        id: `ingress.${measured.id}-p${percent}.${target}`,
        what: `${measured.what}, ${what}: p${percent} less that of direct calls`,
        value: medianPerRound(samples[target] ?? [], samples.direct ?? [], (ours, direct) =>
          difference(
            measured.of(ours).percentile(percent),
            measured.of(direct).percentile(percent),
          ),
        ),
        unit: 'ms',
        ...(limit && { limit }),
        kind: 'speed',
      });
    }),
  );
}

function difference(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a - b;
}
