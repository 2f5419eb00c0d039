/**
 * Slices of hot windows (features D3). Who spends often from one bucket takes a slice of it, for a second at
 * most, and spends that without asking further. A slice leaves the bucket before anything of it is spent: it
 * is a hold like any other, settled at its end to what was spent of it, and so counts in its window until
 * the last that was spent does. A process that dies leaves its slice behind as used.
 */
import type { Clock } from '@starling/clock';
import type { Asked, Buckets, Reservation, Reserve } from './buckets.ts';

/** How long a slice may be spent. */
const sliceMs = 1_000;
/** A slice whose process died is over by then. */
const sliceHoldMs = 5_000;
/** Fewer permits in a second are asked for one by one. */
const hotPerSlice = 4;
/** A slice is that much more than was spent in the last one, in hundredths, and never more of a limit than this. */
const marginPercent = 125;
const mostOfLimitPercent = 5;
/** Buckets whose pace is remembered; the one asked for longest ago is cold again beyond it. */
const maxPaces = 1_000;

interface Slice {
  readonly id: string;
  readonly ask: Asked;
  readonly size: number;
  spent: number;
}

/** How much was asked of a bucket in this second and in the one before. */
interface Pace {
  sinceMs: number;
  asked: number;
  before: number;
}

export interface SlicedBuckets extends Buckets, AsyncDisposable {}

/** Buckets that ask `inner` once a second for what is spent often. Disposing it gives back what is left. */
export function createSlicedBuckets(parts: {
  readonly inner: Buckets;
  readonly clock: Clock;
  /** Tells the slices of this process from those of any other. */
  readonly holder: string;
}): SlicedBuckets {
  const slicer = new Slicer(parts);
  const { inner } = parts;
  return {
    reserve: (call) => slicer.reserve(call),
    settle: (id, used) => inner.settle(id, used),
    extend: (id, held) => inner.extend(id, held),
    levels: (of) => inner.levels(of),
    lower: (told) => inner.lower(told),
    [Symbol.asyncDispose]: () => slicer.end(),
  };
}

class Slicer {
  readonly #inner: Buckets;
  readonly #clock: Clock;
  readonly #holder: string;
  #taken = 0;
  readonly #slices = new Map<string, { readonly slice: Slice; readonly timer: Disposable }>();
  /** Slices that are on their way, by bucket. */
  readonly #coming = new Map<string, Promise<void>>();
  readonly #paces = new Map<string, Pace>();

  constructor(parts: { readonly inner: Buckets; readonly clock: Clock; readonly holder: string }) {
    this.#inner = parts.inner;
    this.#clock = parts.clock;
    this.#holder = parts.holder;
  }

  async reserve(call: Reserve): Promise<Reservation> {
    const [ask, ...others] = call.asked;
    if (!ask || others.length > 0 || !ask.spent || ask.limit.kind !== 'window') {
      return this.#inner.reserve(call);
    }
    const wanted = this.#wanted(ask);
    if (this.#spend(ask)) return granted;
    if (wanted < hotPerSlice) return this.#inner.reserve(call);
    await this.#slice(ask, wanted);
    return this.#spend(ask) ? granted : this.#inner.reserve(call);
  }

  async end(): Promise<void> {
    await Promise.all([...this.#slices.keys()].map((key) => this.#giveBack(key)));
  }

  #spend({ amount, key }: Asked): boolean {
    const slice = this.#slices.get(key)?.slice;
    if (!slice || slice.spent + amount > slice.size) return false;
    slice.spent += amount;
    return true;
  }

  /** How large the next slice should be by the pace of late. */
  #wanted({ amount, key, limit }: Asked): number {
    const nowMs = this.#clock.monotonicMs();
    const pace = this.#paces.get(key) ?? { sinceMs: nowMs, asked: 0, before: 0 };
    const seconds = Math.floor((nowMs - pace.sinceMs) / sliceMs);
    if (seconds > 0) {
      pace.before = seconds === 1 ? pace.asked : 0;
      pace.asked = 0;
      pace.sinceMs += seconds * sliceMs;
    }
    pace.asked += amount;
    this.#paces.delete(key);
    this.#paces.set(key, pace);
    for (const coldest of this.#paces.keys()) {
      if (this.#paces.size <= maxPaces) break;
      this.#paces.delete(coldest);
    }
    const permits = limit.kind === 'window' ? limit.permits : 0;
    const most = Math.floor((permits * mostOfLimitPercent) / 100);
    return Math.min(most, Math.floor((pace.before * marginPercent) / 100));
  }

  /** Takes a slice, once for all who wait for it. */
  async #slice(ask: Asked, size: number): Promise<void> {
    const { key } = ask;
    let coming = this.#coming.get(key);
    if (!coming) {
      coming = this.#take(ask, size).finally(() => this.#coming.delete(key));
      this.#coming.set(key, coming);
    }
    await coming;
  }

  async #take(ask: Asked, size: number): Promise<void> {
    await this.#giveBack(ask.key);
    this.#taken += 1;
    const { key, limit, ownedHere } = ask;
    const held: Asked = { key, limit, amount: size, ...(ownedHere && { ownedHere }) };
    const id = `slice-${this.#holder}-${this.#taken}`;
    const word = await this.#inner.reserve({ id, holdMs: sliceHoldMs, asked: [held] });
    if (word.kind === 'refused') return;
    const timer = this.#clock.schedule(sliceMs, () => void this.#giveBack(key));
    this.#slices.set(key, { slice: { id, ask: held, size, spent: 0 }, timer });
  }

  async #giveBack(key: string): Promise<void> {
    const held = this.#slices.get(key);
    if (!held) return;
    this.#slices.delete(key);
    held.timer[Symbol.dispose]();
    const { ask, id, spent } = held.slice;
    await this.#inner.settle(id, [{ key, limit: ask.limit, amount: spent }]);
  }
}

const granted: Reservation = { kind: 'reserved', replay: false };
