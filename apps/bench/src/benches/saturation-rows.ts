import { type Row, row } from '../report/row.ts';
import type { Samples } from '../rounds/compare.ts';
import { medianPerRound } from '../rounds/interleave.ts';
import type { Sample } from '../rounds/measure.ts';
import { median } from '../stats/median.ts';

/** Processes that are no part of what is measured. */
const surroundings = new Set(['provider', 'generator']);

/** What either way through the fleet must bear. */
const goals = [
  { target: 'fleet', what: 'ephemeral', perSecondMin: 2_000, ratioMin: 2.5 },
  { target: 'fleet-durable', what: 'durable', perSecondMin: 1_000, ratioMin: 1.4 },
];

/** Requests a second, and whose CPU they cost. */
export function saturationRows(samples: {
  readonly saturated: Samples;
  readonly whole: Samples;
}): Row[] {
  const { saturated, whole } = samples;
  const perSecond = (target: string) => median((saturated[target] ?? []).map(rate));
  return [
    ...goals.flatMap(({ target, what, perSecondMin, ratioMin }) => [
      row({
        id: `ingress.per-second.${target}`,
        what: `requests a second, whole path on this machine, ${what}`,
        value: perSecond(target),
        unit: 'requests/s',
        limit: { min: perSecondMin },
        kind: 'speed',
      }),
      row({
        id: `ingress.per-second-ratio.${target}`,
        what: `the same over Portkey 1.15.2 in the same round, ${what}`,
        value: medianPerRound(
          saturated[target] ?? [],
          saturated.portkey ?? [],
          (ours, theirs) => rate(ours) / rate(theirs),
        ),
        unit: 'ratio',
        limit: { min: ratioMin },
        kind: 'speed',
      }),
    ]),
    ...['direct', 'haproxy', 'portkey'].map((target) =>
      row({
        id: `ingress.per-second.${target}`,
        what: `requests a second, ${target}`,
        value: perSecond(target),
        unit: 'requests/s',
        kind: 'speed',
      }),
    ),
    row({
      id: 'ingress.balancer-share',
      what: "the balancers' share of the CPU of NATS, ingress, balancers and workers, at 300 requests/s",
      value: median((whole.fleet ?? []).map(balancerShare)),
      unit: '%',
      limit: { max: 10 },
      kind: 'speed',
    }),
  ];
}

const rate = ({ result }: Sample) => result.perSecond;

/** Per cent; provider and load generator, which would only make it smaller, are not counted. */
function balancerShare({ cpuPerThousand }: Sample): number {
  let whole = 0;
  for (const [name, seconds] of Object.entries(cpuPerThousand)) {
    if (!surroundings.has(name)) whole += seconds;
  }
  return (100 * (cpuPerThousand.balancer ?? 0)) / whole;
}
