import { seededRandom } from '@starling/clock';
import { type JobId, jobId, type Lane } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultFairQueueLimits, everyUser, FairQueue, type QueuedJob } from '../src/index.ts';

let made = 0;
const job = (changes: Partial<QueuedJob> = {}): QueuedJob => ({
  jobId: jobId.parse(`j${made++}`),
  lane: 'interactive',
  guildKey: 'g1',
  userKey: 'u1',
  tokenEstimate: 100,
  acceptedAtMs: 0,
  deadlineAtMs: 60_000,
  ...changes,
});

/** Takes jobs until the queue is empty. */
function drain(queue: FairQueue, nowMs = 0): QueuedJob[] {
  const order: QueuedJob[] = [];
  for (let head = queue.head(nowMs); head; head = queue.head(nowMs)) {
    order.push(head);
    queue.take(head.jobId);
  }
  return order;
}

describe('the fair queue', () => {
  it('serves a quiet guild before the backlog of a loud one [B6]', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 500; n += 1) queue.add(job({ guildKey: 'loud', userKey: `u${n}` }), 0);
    for (let n = 0; n < 20; n += 1) queue.take(queue.head(0)?.jobId as JobId);
    const quiet = job({ guildKey: 'quiet', acceptedAtMs: 10 });
    queue.add(quiet, 10);
    const order = drain(queue, 10);
    expect(order.indexOf(quiet)).toBeLessThanOrEqual(1);
  });

  it('serves two users of one guild in turn, whoever has more waiting [B6]', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 8; n += 1) queue.add(job({ userKey: 'busy' }), 0);
    for (let n = 0; n < 3; n += 1) queue.add(job({ userKey: 'calm', acceptedAtMs: 5 }), 5);
    const firstSix = drain(queue, 5).slice(0, 6);
    expect(firstSix.filter(({ userKey }) => userKey === 'calm')).toHaveLength(3);
  });

  it('serves jobs whose users are not told apart as they came, under the guild bound alone [B6] [B7]', () => {
    const queue = new FairQueue({ ...defaultFairQueueLimits, perUser: 2, perGuild: 5 });
    const of = (at: number) =>
      job({ guildKey: 'caller:a', userKey: everyUser, acceptedAtMs: at, tokenEstimate: 10 * at });
    const jobs = [3, 1, 5, 2, 4].map(of);
    for (const each of jobs) {
      expect(queue.refusal(each)).toBe(undefined);
      queue.add(each, 5);
    }
    expect(queue.refusal(of(6))).toBe('guild_bound');
    expect(drain(queue).map(({ acceptedAtMs }) => acceptedAtMs)).toEqual([1, 2, 3, 4, 5]);
  });

  it('charges in tokens: a guild of long answers starts fewer of them [B6]', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 40; n += 1) {
      queue.add(job({ guildKey: 'long', tokenEstimate: 900 }), 0);
      queue.add(job({ guildKey: 'short', tokenEstimate: 100 }), 0);
    }
    const early = drain(queue).slice(0, 20);
    const long = early.filter(({ guildKey }) => guildKey === 'long').length;
    expect(long).toBeGreaterThanOrEqual(1);
    expect(long).toBeLessThanOrEqual(3);
  });

  it('corrects an estimate when the job ended', () => {
    const queue = new FairQueue();
    const estimated = job({ guildKey: 'a', tokenEstimate: 1_000 });
    queue.add(estimated, 0);
    queue.take(estimated.jobId);
    queue.charge(estimated, -990);
    const [a, b] = [
      job({ guildKey: 'a', acceptedAtMs: 2 }),
      job({ guildKey: 'b', acceptedAtMs: 1 }),
    ];
    const other = job({ guildKey: 'b' });
    queue.add(other, 0);
    queue.take(other.jobId);
    queue.add(a, 2);
    queue.add(b, 2);
    expect(queue.head(2)).toBe(a);
  });

  it('does not let a guild save up service while it is idle', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 100; n += 1) {
      const worked = job({ guildKey: 'steady' });
      queue.add(worked, 0);
      queue.take(worked.jobId);
    }
    queue.add(job({ guildKey: 'steady' }), 1);
    for (let n = 0; n < 10; n += 1) queue.add(job({ guildKey: 'idler' }), 1);
    const order = drain(queue, 1).map(({ guildKey }) => guildKey);
    expect(order.indexOf('steady')).toBeLessThanOrEqual(2);
  });

  it('serves dm, interactive, batch in that order, and moves up what waits long [B6]', () => {
    const queue = new FairQueue();
    const lanes: Lane[] = ['batch', 'interactive', 'dm'];
    for (const lane of lanes) queue.add(job({ lane, guildKey: lane }), 0);
    expect(drain(queue).map(({ lane }) => lane)).toEqual(['dm', 'interactive', 'batch']);

    const old = job({ lane: 'batch', guildKey: 'old' });
    queue.add(old, 0);
    const agedMs =
      (defaultFairQueueLimits.agingMs.batch ?? 0) +
      (defaultFairQueueLimits.agingMs.interactive ?? 0);
    queue.head(defaultFairQueueLimits.agingMs.batch ?? 0);
    for (let n = 0; n < 50; n += 1) queue.add(job({ lane: 'dm', guildKey: `dm${n % 5}` }), agedMs);
    expect(drain(queue, agedMs).indexOf(old)).toBeLessThanOrEqual(5);
  });

  it('does not let a newcomer’s flood starve a guild that has been served for a day [B6]', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 2_000; n += 1) {
      const served = job({ guildKey: 'old', acceptedAtMs: n });
      queue.add(served, n);
      queue.take(served.jobId);
    }
    for (let n = 0; n < 500; n += 1) queue.add(job({ guildKey: 'new', userKey: `u${n}` }), 3_000);
    const quiet = job({ guildKey: 'old', acceptedAtMs: 3_001 });
    queue.add(quiet, 3_001);
    expect(drain(queue, 3_001).indexOf(quiet)).toBeLessThanOrEqual(2);
  });

  it('bounds what a guild owes for a feast while nobody else was there [B6]', () => {
    const queue = new FairQueue();
    const first = job({ guildKey: 'calm' });
    queue.add(first, 0);
    for (let n = 0; n < 2_000; n += 1) queue.charge({ guildKey: 'feast', userKey: 'u' }, 500);
    queue.take(first.jobId);
    for (let n = 0; n < 600; n += 1) queue.add(job({ guildKey: 'calm', userKey: `u${n}` }), 1);
    const later = job({ guildKey: 'feast' });
    queue.add(later, 1);
    // 30 000 tokens are 300 of the others' jobs.
    const place = drain(queue, 1).indexOf(later);
    expect(place).toBeGreaterThan(250);
    expect(place).toBeLessThan(350);
  });

  it('moves up one job of a starved guild, not the flood of one that is served [B6]', () => {
    const queue = new FairQueue();
    for (let n = 0; n < 400; n += 1) queue.add(job({ guildKey: 'loud', userKey: `u${n}` }), 0);
    let nowMs = 0;
    for (; nowMs <= 8_000; nowMs += 100) {
      const head = queue.head(nowMs);
      if (head) queue.take(head.jobId);
    }
    expect(queue.sizes().get('dm')).toBe(0);
    const quiet = job({ guildKey: 'quiet', acceptedAtMs: nowMs });
    queue.add(quiet, nowMs);
    expect(drain(queue, nowMs).indexOf(quiet)).toBeLessThanOrEqual(1);

    const starved = job({ guildKey: 'starved' });
    queue.add(starved, 0);
    queue.add(job({ guildKey: 'starved' }), 0);
    for (let n = 0; n < 100; n += 1) queue.add(job({ lane: 'dm', guildKey: `d${n}` }), 0);
    queue.head(defaultFairQueueLimits.agingMs.interactive ?? 0);
    expect(queue.sizes().get('dm')).toBe(101);
  });

  it('names the bound that stands against a job [B7]', () => {
    const queue = new FairQueue({ ...defaultFairQueueLimits, perUser: 2, perGuild: 3, perLane: 4 });
    const add = (changes: Partial<QueuedJob>) => queue.add(job(changes), 0);
    add({ userKey: 'a' });
    add({ userKey: 'a' });
    expect(queue.refusal(job({ userKey: 'a' }))).toBe('user_bound');
    add({ userKey: 'b' });
    expect(queue.refusal(job({ userKey: 'c' }))).toBe('guild_bound');
    add({ guildKey: 'g2' });
    expect(queue.refusal(job({ guildKey: 'g3' }))).toBe('lane_bound');
    expect(queue.refusal(job({ guildKey: 'g3', lane: 'dm' }))).toBeUndefined();
  });

  it('loses no job and serves none twice, whatever happens [B6]', () => {
    const command = fc.record({
      kind: fc.constantFrom('add', 'take', 'remove', 'charge', 'tick'),
      guild: fc.integer({ min: 0, max: 3 }),
      user: fc.integer({ min: 0, max: 2 }),
      lane: fc.constantFrom<Lane>('dm', 'interactive', 'batch'),
      tokens: fc.integer({ min: 1, max: 2_000 }),
    });
    fc.assert(
      fc.property(fc.array(command, { maxLength: 200 }), (commands) => {
        const queue = new FairQueue();
        const waiting = new Set<JobId>();
        let nowMs = 0;
        for (const { kind, guild, user, lane, tokens } of commands) {
          const made = job({
            guildKey: `g${guild}`,
            userKey: `u${user}`,
            lane,
            tokenEstimate: tokens,
            acceptedAtMs: nowMs,
          });
          if (kind === 'tick') nowMs += tokens * 10;
          else if (kind === 'charge') queue.charge(made, tokens - 1_000);
          else if (kind === 'add') {
            queue.add(made, nowMs);
            waiting.add(made.jobId);
          } else {
            const head = queue.head(nowMs);
            expect(head === undefined).toBe(waiting.size === 0);
            if (head) {
              expect(queue.position(head.jobId)).toBeGreaterThanOrEqual(0);
              expect(kind === 'take' ? queue.take(head.jobId) : queue.remove(head.jobId)).toBe(
                head,
              );
              expect(waiting.delete(head.jobId)).toBe(true);
            }
          }
          expect(queue.size).toBe(waiting.size);
        }
        expect(
          drain(queue, nowMs)
            .map(({ jobId }) => jobId)
            .sort(),
        ).toEqual([...waiting].sort());
      }),
    );
  });

  it('tells each job its place, which is the order of equal jobs [B6]', () => {
    const sizes = fc.array(fc.record({ guild: fc.nat(4), user: fc.nat(2) }), {
      minLength: 1,
      maxLength: 40,
    });
    fc.assert(
      fc.property(sizes, (asked) => {
        const queue = new FairQueue();
        const jobs = asked.map(({ guild, user }, index) =>
          job({
            jobId: jobId.parse(`j${index}`),
            guildKey: `g${guild}`,
            userKey: `u${user}`,
            acceptedAtMs: index,
          }),
        );
        for (const [nowMs, waiting] of jobs.entries()) queue.add(waiting, nowMs);
        const places = new Map(jobs.map(({ jobId: id }) => [id, queue.position(id)]));
        const order = drain(queue, jobs.length).map(({ jobId: id }) => id);
        expect(order.map((id) => places.get(id))).toEqual(order.map((_, place) => place));
      }),
    );
  });

  it('tells places among thousands of guilds at a glance, nearly as they come [B6]', () => {
    const queue = new FairQueue();
    const random = seededRandom(3);
    const jobs = Array.from({ length: 6_000 }, (_, index) => {
      // A few loud guilds, many quiet ones.
      const guild = random.integer(10) === 0 ? random.integer(5) : 5 + random.integer(3_000);
      return job({ guildKey: `g${guild}`, userKey: `u${index}`, acceptedAtMs: index });
    });
    for (const waiting of jobs) queue.add(waiting, 0);
    const places = new Map(jobs.map(({ jobId: id }) => [id, queue.position(id) ?? -1]));
    const order = drain(queue).map(({ jobId: id }) => id);
    const errors = order.map((id, place) => Math.abs((places.get(id) ?? -1) - place));
    const first = errors.slice(0, 2_000);
    expect(Math.max(...first)).toBeLessThanOrEqual(100);
    expect(errors.reduce((sum, error) => sum + error) / errors.length).toBeLessThan(300);
  });

  it('bounds the difference in service between two guilds that both wait [B6]', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 20, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 1_000 }), { minLength: 20, maxLength: 60 }),
        (first, second) => {
          const queue = new FairQueue({ ...defaultFairQueueLimits, agingMs: {} });
          for (const tokens of first) queue.add(job({ guildKey: 'a', tokenEstimate: tokens }), 0);
          for (const tokens of second) queue.add(job({ guildKey: 'b', tokenEstimate: tokens }), 0);
          const left = { a: first.length, b: second.length };
          const served = { a: 0, b: 0 };
          for (let head = queue.head(0); head && left.a && left.b; head = queue.head(0)) {
            queue.take(head.jobId);
            const guild = head.guildKey as 'a' | 'b';
            served[guild] += head.tokenEstimate;
            left[guild] -= 1;
            // Twice the largest job: the bound of the paper for one slot.
            expect(Math.abs(served.a - served.b)).toBeLessThanOrEqual(2_000);
          }
        },
      ),
    );
  });
});
