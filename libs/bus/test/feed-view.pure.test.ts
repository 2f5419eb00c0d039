import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedView, type SeenMessage } from '../src/feed-view.ts';

const subjectOf = (sequence: number) => `jobs.dm.${sequence}`;
const message = (sequence: number): SeenMessage => ({ sequence, subject: subjectOf(sequence) });

/** What is told, as a reader keeps it; a repeat is an error of the view. */
class Reader {
  readonly known = new Map<number, string>();
  readonly view = new FeedView({ maxEarlyRemovals: 1_000 });

  stored(one: SeenMessage): void {
    const { isNew, replaced } = this.view.stored(one);
    if (replaced) this.#gone(replaced);
    if (!isNew) return;
    expect(this.known.has(one.sequence)).toBe(false);
    this.known.set(one.sequence, one.subject);
  }

  removed(sequence: number): void {
    const gone = this.view.removed(sequence);
    if (gone) this.#gone(gone);
  }

  complete(): void {
    for (const gone of this.view.complete()) this.#gone(gone);
  }

  #gone({ sequence, subject }: SeenMessage): void {
    expect(this.known.get(sequence)).toBe(subject);
    this.known.delete(sequence);
  }
}

const step = fc.record({
  kind: fc.constantFrom('put', 'remove', 'deliver', 'hint', 'lose_hint', 'restore', 'read_anew'),
  at: fc.nat(20),
});

describe('a feed’s view', () => {
  it('equals the store once it was read, whatever was lost, late or came back before', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
        const reader = new Reader();
        const stored = new Set<number>();
        const removed: number[] = [];
        let last = 0;
        // Under way to the reader: messages in order, hints in order, the two in any order.
        let messages: number[] = [];
        let hints: number[] = [];
        reader.view.begin();
        reader.complete();
        for (const { at, kind } of steps) {
          if (kind === 'put') {
            last += 1;
            stored.add(last);
            messages.push(last);
          } else if (kind === 'remove') {
            const sequence = [...stored][at % Math.max(1, stored.size)];
            if (sequence === undefined) continue;
            stored.delete(sequence);
            removed.push(sequence);
            // Two removers, or one that asked twice.
            hints.push(...Array(1 + (at % 2)).fill(sequence));
          } else if (kind === 'deliver') {
            for (const sequence of messages.splice(0, at)) reader.stored(message(sequence));
          } else if (kind === 'hint') {
            for (const sequence of hints.splice(0, at)) reader.removed(sequence);
          } else if (kind === 'lose_hint') {
            hints = [];
          } else {
            // A crash brings some of what was removed back; the connection is a new one.
            const back = kind === 'restore' ? removed.splice(0, at) : [];
            for (const sequence of back) stored.add(sequence);
            messages = [];
            hints = [];
            reader.view.begin();
            const list = [...stored].sort((a, b) => a - b);
            for (const sequence of list) {
              reader.stored(message(sequence));
              // Removed while the list is read: the hint comes after, and in the middle of it.
              if (sequence % 5 !== at % 5) continue;
              stored.delete(sequence);
              removed.push(sequence);
              reader.removed(sequence);
            }
            reader.complete();
            expect([...reader.known.keys()].sort((a, b) => a - b)).toEqual(
              [...stored].sort((a, b) => a - b),
            );
          }
          expect(reader.view.size).toBe(reader.known.size);
        }
        for (const sequence of messages) reader.stored(message(sequence));
        for (const sequence of hints) reader.removed(sequence);
        // Nothing that is stored is missing; what is too much, the comparison's next reading takes away.
        for (const sequence of stored) expect(reader.known.has(sequence)).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it('tells nothing of a message whose removal it heard of first', () => {
    const reader = new Reader();
    reader.view.begin();
    reader.complete();
    reader.removed(1);
    reader.stored(message(1));
    reader.stored(message(2));
    expect([...reader.known.keys()]).toEqual([2]);
  });

  it('tells of another message under a known sequence as one gone and one stored', () => {
    const reader = new Reader();
    reader.view.begin();
    for (const sequence of [1, 2]) reader.stored(message(sequence));
    reader.complete();
    // The store was lost and counts from 1 again.
    reader.view.begin();
    reader.stored({ sequence: 1, subject: 'jobs.dm.other' });
    reader.complete();
    expect([...reader.known]).toEqual([[1, 'jobs.dm.other']]);
  });

  it('tells of a message that a crash brought back, though its removal was heard of twice', () => {
    const reader = new Reader();
    reader.view.begin();
    reader.stored(message(1));
    reader.complete();
    for (const sequence of [1, 1]) reader.removed(sequence);
    reader.view.begin();
    reader.stored(message(1));
    reader.complete();
    expect([...reader.known.keys()]).toEqual([1]);
  });

  it('remembers no more early removals than its bound, the newest', () => {
    const view = new FeedView({ maxEarlyRemovals: 2 });
    view.begin();
    view.complete();
    for (const sequence of [1, 2, 3]) view.removed(sequence);
    expect([1, 2, 3].map((sequence) => view.stored(message(sequence)).isNew)).toEqual([
      true,
      false,
      false,
    ]);
  });
});
