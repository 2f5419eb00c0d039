/** LLM tokens by user, channel and guild, a day and a month (features D6), as buckets of admission. */
import type { Asked, Used } from '@starling/buckets';
import type { AdmissionBudgets, Asker } from './admission.ts';
import { type BudgetPeriod, dayOf, monthOf } from './budget-periods.ts';
import { permitsFor } from './role-permits.ts';

/** The longest that a question may be away before it is settled; it may have begun in the period before. */
const longestJobMs = 600_000;

export type BudgetBucket = Pick<Asked, 'key' | 'limit'> & { readonly permits: number };

/** What a question reserves: its prompt, and the longest answer that it may get. */
export function budgetsAsked(
  asker: Asker,
  of: { readonly budgets: AdmissionBudgets | undefined; readonly tokens: number },
  nowMs: number,
): readonly Asked[] {
  const { budgets, tokens } = of;
  if (!budgets || tokens === 0) return [];
  const { rolesPerDay: ofRoles, userPerDay: otherwise } = budgets;
  const userPerDay = permitsFor(asker.roles, { otherwise, ofRoles });
  const asked = bucketsOf(asker, { ...budgets, userPerDay }, nowMs);
  return asked.map(({ key, limit }) => ({ key, limit, amount: tokens }));
}

/** What it really used, wherever it was reserved. */
export function budgetsUsed(
  asker: Asker,
  of: { readonly budgets: AdmissionBudgets | undefined; readonly tokens: number },
  nowMs: number,
): readonly Used[] {
  if (!of.budgets) return [];
  const { tokens } = of;
  const budgets = ofAnyRole(of.budgets);
  const now = bucketsOf(asker, budgets, nowMs);
  const before = bucketsOf(asker, budgets, nowMs - longestJobMs);
  const all = new Map([...before, ...now].map((bucket) => [bucket.key, bucket]));
  return [...all.values()].map(({ key, limit }) => ({ key, limit, amount: tokens }));
}

/** The budgets that a question of theirs counts in now, with what they allow. */
export function budgetsNow(
  asker: Asker,
  budgets: AdmissionBudgets | undefined,
  nowMs: number,
): readonly BudgetBucket[] {
  return budgets ? bucketsOf(asker, ofAnyRole(budgets), nowMs) : [];
}

/** When a question has ended nobody knows the roles of who asked: the highest of all stands for theirs. */
function ofAnyRole(budgets: AdmissionBudgets): AdmissionBudgets {
  const { rolesPerDay, userPerDay } = budgets;
  return { ...budgets, userPerDay: Math.max(userPerDay, ...rolesPerDay.values()) };
}

function bucketsOf(
  asker: Asker,
  budgets: AdmissionBudgets,
  nowMs: number,
): readonly BudgetBucket[] {
  const { channelId, guildId, userId } = asker;
  const { channelPerDay, channelPerMonth, guildPerDay, guildPerMonth } = budgets;
  const { userPerDay, userPerMonth } = budgets;
  const [day, month] = [dayOf(nowMs), monthOf(nowMs)];
  return [
    ...budget(`budget:user:${userId}`, day, userPerDay),
    ...budget(`budget:user:${userId}`, month, userPerMonth),
    ...(guildId && channelId
      ? [
          ...budget(`budget:channel:${channelId}`, day, channelPerDay),
          ...budget(`budget:channel:${channelId}`, month, channelPerMonth),
        ]
      : []),
    ...(guildId
      ? [
          ...budget(`budget:guild:${guildId}`, day, guildPerDay),
          ...budget(`budget:guild:${guildId}`, month, guildPerMonth),
        ]
      : []),
  ];
}

function budget(owner: string, period: BudgetPeriod, permits: number): readonly BudgetBucket[] {
  if (permits === 0) return [];
  const { endsAtMs, name } = period;
  return [{ key: `${owner}:${name}`, permits, limit: { kind: 'period', permits, endsAtMs } }];
}
