import type { BucketLimit } from './bucket-limit.ts';
import type { Asked, Buckets, Reserve, Used } from './buckets.ts';

/** Calls under way that Redis has not heard of; more than a process has. The oldest is forgotten beyond it. */
const maxOpen = 10_000;

type Window = Extract<BucketLimit, { kind: 'window' }>;

/**
 * What was used of windows while Redis did not hear of it. It is told when Redis is back, whatever room there
 * is: a process that was cut off alone has used what the others know nothing of.
 */
export class UnheardUse {
  readonly #open = new Map<string, Reserve>();
  readonly #used = new Map<string, { readonly limit: Window; amount: number }>();

  get isEmpty(): boolean {
    return this.#open.size === 0 && this.#used.size === 0;
  }

  /** It was let through without Redis. */
  took(call: Reserve): void {
    const windows = call.asked.filter(({ limit }) => limit.kind === 'window');
    for (const ask of windows) if (ask.spent) this.#add(ask);
    const held = windows.filter(({ spent = false }) => !spent);
    if (held.length === 0) return;
    this.#open.set(call.id, { ...call, asked: held });
    for (const oldest of this.#open.keys()) {
      if (this.#open.size <= maxOpen) break;
      this.#open.delete(oldest);
    }
  }

  settled(id: string, used: readonly Used[]): void {
    if (this.#open.delete(id)) for (const one of used) this.#add(one);
  }

  /** Tells all of it; what fails is told another time. */
  async tell(shared: Buckets): Promise<void> {
    for (const [key, { amount, limit }] of [...this.#used]) {
      const asked = [{ key, limit: boundless(limit), amount, spent: true }];
      await shared.reserve({ id: '', holdMs: 0, asked });
      const left = this.#used.get(key);
      if (left) left.amount -= amount;
      if (left?.amount === 0) this.#used.delete(key);
    }
    for (const call of [...this.#open.values()]) {
      const asked = call.asked.map((ask) => ({ ...ask, limit: boundless(ask.limit) }));
      await shared.reserve({ ...call, asked });
      if (this.#open.delete(call.id)) continue;
      // It was settled meanwhile, and is told of as used.
      await shared.settle(
        call.id,
        call.asked.map(({ key, limit }) => ({ key, limit, amount: 0 })),
      );
    }
  }

  #add({ amount, key, limit }: Pick<Asked, 'key' | 'limit' | 'amount'>): void {
    if (limit.kind !== 'window' || amount === 0) return;
    const used = this.#used.get(key) ?? { limit, amount: 0 };
    used.amount += amount;
    this.#used.set(key, used);
  }
}

/** The same bucket, which lets everything through. */
function boundless(limit: BucketLimit): BucketLimit {
  return limit.kind === 'window' ? { ...limit, permits: Number.MAX_SAFE_INTEGER } : limit;
}
