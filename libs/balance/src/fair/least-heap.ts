/**
 * A binary heap of keys by a number that may change, least first. A change pushes the key anew and the
 * old entry is skipped when it surfaces, so that both cost O(log n) and nothing is searched.
 */
interface Entry<Key> {
  readonly key: Key;
  readonly value: number;
  /** Breaks ties: of equal values the one that came first. */
  readonly order: number;
}

/** See the module's header. */
export class LeastHeap<Key> {
  readonly #entries: Entry<Key>[] = [];
  /** The entry that counts for each key. */
  readonly #current = new Map<Key, Entry<Key>>();
  #pushed = 0;

  get size(): number {
    return this.#current.size;
  }

  /** Puts a key in, or moves it. */
  set(key: Key, value: number): void {
    const entry = { key, value, order: this.#pushed++ };
    this.#current.set(key, entry);
    this.#entries.push(entry);
    this.#up(this.#entries.length - 1);
    // Skipped entries are dropped when they outnumber the live ones: memory stays within twice the keys.
    if (this.#entries.length > 2 * this.#current.size + 16) this.#rebuild();
  }

  delete(key: Key): void {
    this.#current.delete(key);
  }

  valueOf(key: Key): number | undefined {
    return this.#current.get(key)?.value;
  }

  /** Whether the first key comes out before the second; false when either is not in. */
  precedes(first: Key, second: Key): boolean {
    const [a, b] = [this.#current.get(first), this.#current.get(second)];
    return a !== undefined && b !== undefined && before(a, b) < 0;
  }

  /** All keys in the order in which they come out. */
  sorted(): readonly Key[] {
    return [...this.#current.values()].sort(before).map(({ key }) => key);
  }

  /** How many keys come out before this one; walks over all of them. */
  countBefore(key: Key): number {
    const own = this.#current.get(key);
    let count = 0;
    if (own) for (const entry of this.#current.values()) if (before(entry, own) < 0) count += 1;
    return count;
  }

  /** The key with the least value. */
  least(): Key | undefined {
    for (let top = this.#entries[0]; top; top = this.#entries[0]) {
      if (this.#current.get(top.key) === top) return top.key;
      this.#pop();
    }
    return undefined;
  }

  #rebuild(): void {
    const live = [...this.#current.values()].sort(before);
    this.#entries.splice(0, this.#entries.length, ...live);
  }

  #pop(): void {
    const last = this.#entries.pop();
    if (!last || this.#entries.length === 0) return;
    this.#entries[0] = last;
    this.#down();
  }

  #up(start: number): void {
    for (let at = start; at > 0; ) {
      const parent = (at - 1) >> 1;
      if (!this.#swapIfBefore(at, parent)) return;
      at = parent;
    }
  }

  #down(): void {
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      const child = this.#isBefore(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfBefore(child, at)) return;
      at = child;
    }
  }

  #isBefore(a: number, b: number): boolean {
    const [first, second] = [this.#entries[a], this.#entries[b]];
    return first !== undefined && second !== undefined && before(first, second) < 0;
  }

  #swapIfBefore(child: number, parent: number): boolean {
    const [below, above] = [this.#entries[child], this.#entries[parent]];
    if (!below || !above || before(below, above) >= 0) return false;
    this.#entries[child] = above;
    this.#entries[parent] = below;
    return true;
  }
}

function before(a: Entry<unknown>, b: Entry<unknown>): number {
  return a.value - b.value || a.order - b.order;
}
