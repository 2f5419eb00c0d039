import type { DesignName, StudyRow } from './balancer-study.ts';

/** What the study must reach (the table of numbers in docs/adr/0005-shared-view.md). */
const asked = {
  queueWaitP99Ms: 300,
  timesCentral: 3,
  surgeColdP99Ms: 300,
  crashP99Ms: 1_000,
  spread: 0.1,
  aheadPerThousand: { equal: 2, mixed: 15 },
  ephemeralP99Ms: 25,
} as const;

/** A wait of a few hops is as good as none: below this a ratio to the ideal says nothing. */
const negligibleMs = 25;

/** The study in one line. */
export interface BalancerReport {
  readonly ok: boolean;
  readonly chosen: DesignName;
  readonly queueWaitP99Ms: Readonly<
    Record<'chosen' | 'central' | 'p2c' | 'leastConnectionsStale', number>
  >;
  /** Quiet guilds' p99 while a loud one floods the fleet, by balancers. */
  readonly surgeColdP99Ms: Readonly<Record<string, number>>;
  /** p99 of the minute after one of three balancers died. */
  readonly crashP99Ms: number;
  readonly spread: Readonly<Record<'light' | 'heavy', number>>;
  /** Of a thousand jobs, those that started more than one job ahead of another worker, at worst. */
  readonly aheadPerThousand: Readonly<Record<'equal' | 'mixed', number>>;
  /** p99 of jobs that only their home sees while half of the slots are free, by balancers. */
  readonly ephemeralP99Ms: Readonly<Record<string, number>>;
  /** Numbers that were not reached. */
  readonly missed: readonly string[];
  readonly rows: readonly StudyRow[];
}

/** Judges the rows by what was asked. */
export function balancerReport(rows: readonly StudyRow[]): BalancerReport {
  const chosen: DesignName = 'shared_view';
  const of = (situation: StudyRow['situation'], design: DesignName = chosen) =>
    rows.filter((row) => row.situation === situation && row.design === design);
  const steady = (design: DesignName) => of('steady', design)[0]?.waitP99Ms ?? Number.NaN;
  const queueWaitP99Ms = {
    chosen: steady(chosen),
    central: steady('central'),
    p2c: steady('p2c'),
    leastConnectionsStale: steady('least_connections_stale'),
  };
  const byBalancers = (situation: StudyRow['situation']) =>
    of(situation).map(({ balancers, waitP99Ms }) => [balancers, waitP99Ms] as const);
  const [surge, ephemeral] = [byBalancers('surge'), byBalancers('ephemeral')];
  const crashP99Ms = of('crash').find(({ balancers }) => balancers === 3)?.waitP99Ms ?? Number.NaN;
  const [light = Number.NaN, heavy = Number.NaN] = of('spread').map(({ spread }) => spread);
  const ahead = { equal: worstAhead(of('even'), false), mixed: worstAhead(of('even'), true) };
  const ideal = Math.max(queueWaitP99Ms.central * asked.timesCentral, negligibleMs);
  // Written so that a number that is missing is one that was not reached.
  const reached = {
    'queue wait': queueWaitP99Ms.chosen <= asked.queueWaitP99Ms,
    'queue wait against the ideal': queueWaitP99Ms.chosen <= ideal,
    surge: within(surge, asked.surgeColdP99Ms),
    crash: crashP99Ms <= asked.crashP99Ms,
    spread: light < asked.spread && heavy < asked.spread,
    'in flight per slot':
      ahead.equal <= asked.aheadPerThousand.equal && ahead.mixed <= asked.aheadPerThousand.mixed,
    ephemeral: within(ephemeral, asked.ephemeralP99Ms),
  };
  const missed = Object.entries(reached).flatMap(([name, is]) => (is ? [] : [name]));
  return {
    ok: missed.length === 0,
    chosen,
    queueWaitP99Ms,
    surgeColdP99Ms: Object.fromEntries(surge),
    crashP99Ms,
    spread: { light, heavy },
    aheadPerThousand: ahead,
    ephemeralP99Ms: Object.fromEntries(ephemeral),
    missed,
    rows,
  };
}

function worstAhead(rows: readonly StudyRow[], mixed: boolean): number {
  const ahead = rows.filter((row) => row.mixed === mixed).map((row) => row.aheadPerThousand);
  return ahead.length === 0 ? Number.NaN : Math.max(...ahead);
}

function within(waits: readonly (readonly [number, number])[], mostMs: number): boolean {
  return waits.length > 0 && waits.every(([, waitMs]) => waitMs <= mostMs);
}
