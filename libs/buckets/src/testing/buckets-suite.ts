import { describe, expect, it } from 'vitest';
import type { BucketLimit } from '../bucket-limit.ts';
import type { Buckets } from '../buckets.ts';

/** What the suite needs of an adapter: a fresh one, and a way to let time pass. */
export interface BucketsUnderTest extends AsyncDisposable {
  readonly buckets: Buckets;
  /** Lets `ms` pass as the adapter counts time. */
  pass(ms: number): Promise<void>;
}

const window: BucketLimit = { kind: 'window', permits: 100, windowMs: 600 };
const jobs: BucketLimit = { kind: 'concurrency', permits: 2 };
const rate: BucketLimit = { kind: 'rate', permits: 10, perMs: 1_000, burst: 3 };
const holdMs = 60_000;
/** How much later than it should a real clock may tell. */
const slackMs = 150;

/** The promises of the port, for every adapter. */
export function bucketsSuite(name: string, open: () => Promise<BucketsUnderTest>): void {
  describe(`${name} keeps the contract of the buckets`, () => {
    it('lets through what fits, and a refused call changes nothing [D1]', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const ask = (id: string, amount: number) =>
        buckets.reserve({
          id,
          holdMs,
          asked: [
            { key: 'jobs', limit: jobs, amount: 1 },
            { key: 'window', limit: window, amount },
          ],
        });
      expect(await ask('a', 60)).toEqual({ kind: 'reserved', replay: false });
      expect(await ask('b', 41)).toMatchObject({ kind: 'refused', key: 'window' });
      expect(await ask('c', 40)).toMatchObject({ kind: 'reserved' });
      expect(await ask('d', 1)).toMatchObject({ kind: 'refused', key: 'jobs' });
    });

    it('charges a hold once, however often it is asked for', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const asked = [
        { key: 'jobs', limit: jobs, amount: 1 },
        { key: 'rate', limit: rate, amount: 1, spent: true },
      ];
      await buckets.reserve({ id: 'a', holdMs, asked });
      for (let times = 0; times < 5; times += 1) {
        const again = await buckets.reserve({ id: 'a', holdMs, asked });
        expect(again).toEqual({ kind: 'reserved', replay: true });
      }
      expect(await buckets.reserve({ id: 'b', holdMs, asked })).toMatchObject({ kind: 'reserved' });
    });

    it('settles to the real use, once; what was not used is there again', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const take = (id: string, amount: number) =>
        buckets.reserve({ id, holdMs, asked: [{ key: 'window', limit: window, amount }] });
      await take('a', 100);
      for (let times = 0; times < 3; times += 1) {
        await buckets.settle('a', [{ key: 'window', limit: window, amount: 30 }]);
      }
      expect(await take('b', 71)).toMatchObject({ kind: 'refused' });
      expect(await take('c', 70)).toMatchObject({ kind: 'reserved' });
    });

    it('tells what is held and used of each', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const asked = [
        { key: 'window', limit: window, amount: 30 },
        { key: 'jobs', limit: jobs, amount: 1 },
      ];
      expect(await buckets.levels(asked)).toEqual([0, 0]);
      await buckets.reserve({ id: 'a', holdMs, asked });
      expect(await buckets.levels([...asked].reverse())).toEqual([1, 30]);
      await buckets.settle('a', asked);
      expect(await buckets.levels(asked)).toEqual([30, 0]);
    });

    it('lets a call that used more than it reserved owe the rest', async () => {
      await using subject = await open();
      const { buckets } = subject;
      await buckets.reserve({ id: 'a', holdMs, asked: [{ key: 'w', limit: window, amount: 10 }] });
      await buckets.settle('a', [{ key: 'w', limit: window, amount: 150 }]);
      const refused = { id: 'b', holdMs, asked: [{ key: 'w', limit: window, amount: 1 }] };
      expect(await buckets.reserve(refused)).toMatchObject({ kind: 'refused' });
    });

    it('tells when it will let a call through, and then does [D5]', async () => {
      await using subject = await open();
      const { buckets } = subject;
      for (const limit of [window, rate]) {
        const amount = limit.kind === 'window' ? 100 : 3;
        const call = { holdMs, asked: [{ key: limit.kind, limit, amount, spent: true }] };
        await buckets.reserve({ ...call, id: 'a' });
        const refused = await buckets.reserve({ ...call, id: 'b' });
        if (refused.kind !== 'refused' || refused.retryAfterMs === undefined) throw new Error();
        expect(refused.retryAfterMs).toBeGreaterThan(200);
        expect(refused.retryAfterMs).toBeLessThanOrEqual(700);
        await subject.pass(refused.retryAfterMs + 2);
        expect(await buckets.reserve({ ...call, id: 'b' })).toMatchObject({ kind: 'reserved' });
      }
    });

    it('says never of what is larger than its limit', async () => {
      await using subject = await open();
      const asked = [{ key: 'w', limit: window, amount: 101 }];
      expect(await subject.buckets.reserve({ id: 'a', holdMs, asked })).toEqual({
        kind: 'refused',
        key: 'w',
        retryAfterMs: undefined,
      });
    });

    it('ends the hold of a process that died, and keeps one that is extended', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const asked = [{ key: 'jobs', limit: jobs, amount: 1 }];
      await buckets.reserve({ id: 'dies', holdMs: 300, asked });
      await buckets.reserve({ id: 'lives', holdMs: 300, asked });
      await subject.pass(150);
      expect(await buckets.extend('lives', { holdMs: 10_000, buckets: asked })).toBe(true);
      await subject.pass(150 + slackMs);
      expect(await buckets.reserve({ id: 'c', holdMs, asked })).toMatchObject({ kind: 'reserved' });
      expect(await buckets.reserve({ id: 'd', holdMs, asked })).toMatchObject({ kind: 'refused' });
      expect(await buckets.extend('dies', { holdMs, buckets: asked })).toBe(false);
    });

    it('follows a provider that says less, for as long as it says [D2]', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const ask = (id: string, amount: number) =>
        buckets.reserve({ id, holdMs, asked: [{ key: 'w', limit: window, amount }] });
      await ask('a', 20);
      await buckets.lower({ key: 'w', limit: window, remaining: 10, forMs: 300 });
      expect(await ask('b', 11)).toMatchObject({ kind: 'refused' });
      expect(await ask('c', 10)).toMatchObject({ kind: 'reserved' });
      await subject.pass(300 + slackMs);
      expect(await ask('d', 70)).toMatchObject({ kind: 'reserved' });
      await buckets.lower({ key: 'other', limit: window, forMs: 0, blockedMs: 300 });
      const other = { holdMs, asked: [{ key: 'other', limit: window, amount: 1 }] };
      expect(await buckets.reserve({ ...other, id: 'e' })).toMatchObject({ kind: 'refused' });
      await subject.pass(300 + slackMs);
      expect(await buckets.reserve({ ...other, id: 'e' })).toMatchObject({ kind: 'reserved' });
    });

    it('lets no more through than there is when many ask at once [D2]', async () => {
      await using subject = await open();
      const { buckets } = subject;
      const calls = Array.from({ length: 50 }, (_, n) =>
        buckets.reserve({
          id: `call-${n}`,
          holdMs,
          asked: [{ key: 'w', limit: window, amount: 9 }],
        }),
      );
      const kinds = (await Promise.all(calls)).map(({ kind }) => kind);
      expect(kinds.filter((kind) => kind === 'reserved')).toHaveLength(11);
    });
  });
}
