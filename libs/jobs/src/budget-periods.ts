/** Days and months of budgets, UTC. */

export interface BudgetPeriod {
  /** `2026-11-28`, `2026-11`: part of the bucket's key, so that a new one begins empty. */
  readonly name: string;
  readonly endsAtMs: number;
}

export function dayOf(nowMs: number): BudgetPeriod {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  return { name: day, endsAtMs: Date.parse(`${day}T00:00:00Z`) + 86_400_000 };
}

export function monthOf(nowMs: number): BudgetPeriod {
  const now = new Date(nowMs);
  const endsAtMs = Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + 1, 1);
  return { name: now.toISOString().slice(0, 7), endsAtMs };
}
