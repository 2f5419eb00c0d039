import type { Asked, Buckets } from '@starling/buckets';
import type { Clock } from '@starling/clock';
import type {
  Admission,
  AdmissionBounds,
  AdmissionRates,
  AdmissionRefusal,
  Asker,
  JobOwner,
} from './admission.ts';
import { BudgetWatch } from './budget-watch.ts';
import { budgetsAsked, budgetsNow, budgetsUsed } from './budgets.ts';
import { permitsFor } from './role-permits.ts';

/** When to try again where no time is known: a limit of nothing is met for ever. */
const neverRetryMs = 60_000;

const codes = {
  'jobs:user': 'user_busy',
  'jobs:guild': 'too_busy',
  'rate:user': 'user_limited',
  'minute:user': 'user_limited',
  'minute:channel': 'channel_limited',
  'minute:guild': 'guild_limited',
  'budget:user': 'user_budget',
  'budget:channel': 'channel_budget',
  'budget:guild': 'guild_budget',
} as const satisfies Record<string, AdmissionRefusal['code']>;

type BucketName = keyof typeof codes;

/** Admission on buckets: all of its limits in one call, which is one round trip where they are shared. */
export function createAdmission(
  options: AdmissionBounds & { readonly buckets: Buckets; readonly clock: Clock },
): Admission {
  const { buckets, budgets, clock } = options;
  const watch = new BudgetWatch(buckets);

  return {
    async admit(asker, { holdMs, tokens = 0 }) {
      const asked = [
        ...placesOf(asker, options),
        ...ratesOf(asker, options.rates),
        ...budgetsAsked(asker, { budgets, tokens }, clock.nowMs()),
      ];
      const word = await buckets.reserve({ id: asker.jobId, holdMs, asked });
      if (word.kind === 'reserved') return { kind: 'admitted', replay: word.replay };
      const { key, retryAfterMs = neverRetryMs } = word;
      return { kind: 'refused', code: codeOf(key), retryAtMs: clock.nowMs() + retryAfterMs };
    },
    async release(asker, { tokens } = { tokens: 0 }) {
      const nowMs = clock.nowMs();
      const places = placesOf(asker, options).map((place) => ({ ...place, amount: 0 }));
      const spent = budgetsUsed(asker, { budgets, tokens }, nowMs);
      await buckets.settle(asker.jobId, [...places, ...spent]);
      if (spent.length > 0 && tokens > 0) await watch.look(budgetsNow(asker, budgets, nowMs));
    },
  };
}

/** Places are held until the job's ending. The user's is asked for first. */
function placesOf({ guildId, userId }: JobOwner, bounds: AdmissionBounds): readonly Asked[] {
  const { perGuild, perUser } = bounds;
  const place = (name: BucketName, owner: string, permits: number) => ({
    key: `${name}:${owner}`,
    limit: { kind: 'concurrency', permits } as const,
    amount: 1,
  });
  return [
    place('jobs:user', userId, perUser),
    // A guild belongs to one cluster.
    ...(guildId ? [{ ...place('jobs:guild', guildId, perGuild), ownedHere: true }] : []),
  ];
}

/** What is spent by asking, whatever becomes of the question. */
function ratesOf(asker: Asker, rates: AdmissionRates | undefined): readonly Asked[] {
  if (!rates) return [];
  const { channelId, guildId, userId } = asker;
  const { channelPerMinute, guildPerMinute, userBurst, userPerSecond } = rates;
  const { rolesPerMinute: ofRoles, userPerMinute: otherwise } = rates;
  const spent = { amount: 1, spent: true };
  const minute = (name: BucketName, owner: string | undefined, permits: number): Asked[] =>
    owner === undefined || permits === 0
      ? []
      : [
          {
            key: `${name}:${owner}`,
            limit: { kind: 'window', permits, windowMs: 60_000 },
            ...spent,
          },
        ];
  const second: Asked[] =
    userPerSecond === 0
      ? []
      : [
          {
            key: `rate:user:${userId}`,
            limit: { kind: 'rate', permits: userPerSecond, perMs: 1_000, burst: userBurst },
            ...spent,
          },
        ];
  // A channel and a guild belong to one cluster; a user may ask in several.
  const owned = (asked: readonly Asked[]) => asked.map((one) => ({ ...one, ownedHere: true }));
  return [
    ...second,
    ...minute('minute:user', userId, permitsFor(asker.roles, { otherwise, ofRoles })),
    ...(guildId ? owned(minute('minute:channel', channelId, channelPerMinute)) : []),
    ...owned(minute('minute:guild', guildId, guildPerMinute)),
  ];
}

function codeOf(key: string): AdmissionRefusal['code'] {
  const [kind, whose] = key.split(':');
  return codes[`${kind}:${whose}` as BucketName] ?? 'too_busy';
}
