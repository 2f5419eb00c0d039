import { balancerId, decode, resendContract, subjects } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { BalancerRoster } from '../../src/ingress/balancer-roster.ts';
import { type FakeHome, type HomeStep, homeAnswer } from '../../src/ingress/testing.ts';
import { type Asked, DeskBench } from './desk-bench.ts';

const homeA = balancerId.parse('home-a');
const thinking: readonly HomeStep[] = [{ kind: 'wait', ms: 5_000 }, ...homeAnswer('Hi')];
const halfSaid: readonly HomeStep[] = [
  { kind: 'text', text: 'Once ' },
  { kind: 'wait', ms: 5_000 },
  ...homeAnswer('upon'),
];

/** Two homes; the first is the one that the job `r1-1` went to. */
async function twoHomes(bench: DeskBench, script: readonly HomeStep[], asked: () => Asked) {
  const options = { script: () => script };
  const homes = [
    await bench.home({ ...options, id: 'home-a' }),
    await bench.home({ ...options, id: 'home-b' }),
  ];
  const request = asked();
  await bench.clock.advance(0);
  const [first] = homes.filter(({ submissions }) => submissions.length > 0);
  const [second] = homes.filter((home) => home !== first);
  if (!first || !second) throw new Error('the job went nowhere');
  return { request, first, second };
}

const jobsOf = (home: FakeHome) => home.submissions.map(({ submit }) => submit.job.jobId);
const cancelsOf = (home: FakeHome) => home.cancels.map(({ jobId }) => jobId);

describe('an ephemeral job', () => {
  it('is answered by its home, its text in order and once', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ script: () => homeAnswer('Hel', 'lo') });
    const { reply, endings } = bench.ask();
    await bench.clock.advance(0);
    expect(reply.texts).toEqual(['Hel', 'lo']);
    expect(reply.outcome).toMatchObject({ text: 'Hello', finishReason: 'stop' });
    expect(endings).toEqual([{ kind: 'answered' }]);
    expect(home.taken).toEqual(['r1-1']);
  });

  it('asks for lost frames again, and has their text from the result at the latest', async () => {
    const bench = await DeskBench.start();
    await bench.home({
      script: () => [
        { kind: 'text', text: 'a' },
        { kind: 'lose', text: 'b' },
        { kind: 'text', text: 'c' },
        { kind: 'done' },
      ],
    });
    const asks: unknown[] = [];
    await bench.bus.messaging.subscribe(subjects.allResends, ({ payload }) => {
      asks.push(decode(resendContract, payload));
    });
    const { reply } = bench.ask();
    await bench.clock.advance(0);
    expect(reply.texts).toEqual(['a', 'bc']);
    expect(asks).toEqual([{ ok: true, value: { jobId: 'r1-1', attempt: 1, from: 1 } }]);
  });

  it('sends no frames to a caller that waits for the whole', async () => {
    const bench = await DeskBench.start();
    await bench.home({ script: () => homeAnswer('Hel', 'lo') });
    const { reply } = bench.ask({ stream: false });
    await bench.clock.advance(0);
    expect(reply.outcome).toMatchObject({ text: 'Hello', frames: 0 });
  });

  it('spreads over the balancers that live, and not to one that drains', async () => {
    const bench = await DeskBench.start();
    const homes = [await bench.home({ id: 'home-a' }), await bench.home({ id: 'home-b' })];
    for (let count = 0; count < 40; count += 1) bench.ask();
    await bench.clock.advance(0);
    for (const home of homes) expect(home.submissions.length).toBeGreaterThan(8);
    homes[0]?.drain();
    await bench.clock.advance(0);
    const before = homes[0]?.submissions.length;
    for (let count = 0; count < 10; count += 1) bench.ask();
    await bench.clock.advance(0);
    expect(homes[0]?.submissions).toHaveLength(before ?? -1);
  });

  it.each(['too_busy', 'user_busy', 'no_worker', 'deadline_exceeded'] as const)(
    'that is refused with %s fails with it, and with when to come back [B7]',
    async (code) => {
      const bench = await DeskBench.start();
      await bench.home({ refuse: () => ({ kind: 'refused', code, retryAfterMs: 1_234 }) });
      const { reply } = bench.ask();
      await bench.clock.advance(0);
      expect(reply.problem).toMatchObject({ code, retryAfterMs: 1_234, retry: true });
    },
  );

  it('that fails at the provider fails for its caller, and is not run again', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ script: () => [{ kind: 'failed', code: 'provider_limited' }] });
    const { reply } = bench.ask();
    await bench.clock.advance(10_000);
    expect(reply.problem).toMatchObject({ status: 429, code: 'provider_limited' });
    expect(home.submissions).toHaveLength(1);
  });
});

describe('a request whose balancer', () => {
  it('is killed goes to another one unseen, and its first job is cancelled', async () => {
    const bench = await DeskBench.start();
    const { request, first, second } = await twoHomes(bench, thinking, () => bench.ask());
    await first.kill();
    await bench.until(() => request.endings.length > 0);
    expect(request.reply.whole).toBe('Hi');
    expect(request).toMatchObject({ submissions: 2, endings: [{ kind: 'answered' }] });
    expect(jobsOf(second)).toEqual(['r1-2']);
    expect(cancelsOf(second)).toEqual(['r1-1']);
  });

  it('is killed after the first text keeps its worker, and its caller sees nothing', async () => {
    const bench = await DeskBench.start();
    const { request, first, second } = await twoHomes(bench, halfSaid, () => bench.ask());
    expect(request.reply.whole).toBe('Once ');
    // The worker of the fake dies with its home: the text of a real one comes from nowhere here.
    await first.kill();
    await bench.clock.advance(2_000);
    bench.frame('r1-1', 1, 'more');
    await bench.clock.advance(0);
    expect(request.reply.whole).toBe('Once more');
    expect(second.submissions).toEqual([]);
  });

  it('is killed, and then its worker too, fails honestly after 15 s of silence [B7]', async () => {
    const bench = await DeskBench.start();
    const { request, first, second } = await twoHomes(bench, halfSaid, () => bench.ask());
    await first.kill();
    await bench.clock.advance(10_000);
    bench.frame('r1-1', 1, 'more');
    await bench.clock.advance(14_000);
    expect(request.endings).toEqual([]);
    await bench.clock.advance(1_500);
    expect(request.reply.whole).toBe('Once more');
    expect(request.reply.problem).toMatchObject({ code: 'answer_cut' });
    expect(second.submissions).toEqual([]);
  });

  it('was gone before it could be told is passed over', async () => {
    const bench = await DeskBench.start();
    const homes = [await bench.home({ id: 'home-a' }), await bench.home({ id: 'home-b' })];
    await homes[0]?.kill();
    const asked = Array.from({ length: 8 }, () => bench.ask());
    await bench.clock.advance(0);
    expect(asked.every(({ reply }) => reply.whole === 'Hello world')).toBe(true);
    expect(homes[1]?.submissions).toHaveLength(8);
  });

  it('stands still is left after the timeout, and what it does later harms nobody', async () => {
    const bench = await DeskBench.start();
    const homes = [await bench.home({ id: 'home-a' }), await bench.home({ id: 'home-b' })];
    homes[0]?.freeze();
    const asked = Array.from({ length: 8 }, () => bench.ask());
    await bench.until(() => asked.every(({ endings }) => endings.length > 0));
    expect(asked.every(({ reply }) => reply.whole === 'Hello world')).toBe(true);
    const again = asked.findIndex(({ submissions }) => submissions > 1);
    expect(cancelsOf(homes[1] as FakeHome)).toContain(`r${again + 1}-1`);
    bench.frame(`r${again + 1}-1`, 0, 'ghost');
    await bench.clock.advance(0);
    expect(asked[again]?.reply.whole).toBe('Hello world');
  });

  it('drains gets another one at once', async () => {
    const bench = await DeskBench.start();
    const script = () => thinking;
    const homes = [
      await bench.home({ id: 'home-a', slots: 1, script }),
      await bench.home({ id: 'home-b', slots: 1, script }),
    ];
    const asked = Array.from({ length: 12 }, () => bench.ask());
    await bench.clock.advance(0);
    const [draining, other] = homes as [FakeHome, FakeHome];
    const waited = draining.waiting;
    expect(waited).toBeGreaterThan(0);
    const before = other.submissions.length;
    draining.drain();
    await bench.clock.advance(0);
    expect(other.submissions.length).toBe(before + waited);
    await bench.until(() => asked.every(({ endings }) => endings.length > 0));
    expect(asked.every(({ reply }) => reply.whole === 'Hi')).toBe(true);
  });

  it('leaves in good order keeps what its workers run', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ slots: 1, script: () => thinking });
    const running = bench.ask({ stream: false });
    await bench.clock.advance(0);
    home.drain();
    await bench.clock.advance(300);
    // Its worker, which is a process of its own, is played by the fake itself.
    home.fallSilent();
    await bench.until(() => running.endings.length > 0);
    expect(running).toMatchObject({ submissions: 1, endings: [{ kind: 'answered' }] });
    expect(home.cancels).toEqual([]);
  });

  it('lost the worker is submitted again if nothing was seen', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({
      script: ({ job }) => (job.jobId === 'r1-1' ? [{ kind: 'worker_lost' }] : homeAnswer('Hello')),
    });
    const { reply } = bench.ask();
    await bench.clock.advance(0);
    expect(reply.whole).toBe('Hello');
    expect(jobsOf(home)).toEqual(['r1-1', 'r1-2']);
    expect(cancelsOf(home)).toEqual(['r1-1']);
  });

  it('lost the worker in the middle fails honestly: what was seen is not run again', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({
      script: () => [{ kind: 'text', text: 'Once ' }, { kind: 'worker_lost' }],
    });
    const { reply } = bench.ask();
    await bench.clock.advance(5_000);
    expect(reply.whole).toBe('Once ');
    expect(reply.problem).toMatchObject({ code: 'answer_cut' });
    expect(home.submissions).toHaveLength(1);
  });

  it('loses every worker is submitted three times at most [B7]', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ script: () => [{ kind: 'worker_lost' }] });
    const { reply, endings } = bench.ask();
    await bench.clock.advance(30_000);
    expect(jobsOf(home)).toEqual(['r1-1', 'r1-2', 'r1-3']);
    expect(reply.problem).toMatchObject({ status: 503, code: 'no_worker', retry: true });
    expect(endings).toHaveLength(1);
  });

  it('comes back under its own name is asked anew: it forgot the job', async () => {
    const bench = await DeskBench.start();
    const script = () => thinking;
    const before = await bench.home({ script });
    const { reply } = bench.ask();
    await bench.clock.advance(100);
    await before.kill();
    await bench.clock.advance(100);
    const after = await bench.home({ script });
    await bench.until(() => reply.outcome !== undefined);
    expect(jobsOf(after)).toEqual(['r1-2']);
  });
});

describe('a request without a balancer', () => {
  it('waits for one that restarts', async () => {
    const bench = await DeskBench.start();
    const { reply } = bench.ask();
    await bench.clock.advance(2_000);
    await bench.home();
    await bench.clock.advance(250);
    expect(reply.whole).toBe('Hello world');
  });

  it('fails after 5 s, and says when to come back [B7]', async () => {
    const bench = await DeskBench.start();
    const { reply } = bench.ask();
    await bench.clock.advance(5_000);
    expect(reply.problem).toBeUndefined();
    await bench.clock.advance(500);
    expect(reply.problem).toMatchObject({ status: 503, code: 'no_worker', retryAfterMs: 1_000 });
  });

  it('waits while the bus is away, whose silence proves no death', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ script: () => thinking });
    const before = bench.ask();
    await bench.clock.advance(0);
    bench.away = true;
    const during = bench.ask();
    await bench.clock.advance(4_000);
    bench.away = false;
    await bench.until(() => during.endings.length > 0 && before.endings.length > 0);
    expect(before.submissions).toBe(1);
    expect(during.reply.whole).toBe('Hi');
    expect(home.submissions).toHaveLength(2);
  });
});

describe('a caller that leaves', () => {
  it.each(['disconnected', 'slow_reader'] as const)(
    'because it is %s cancels its job at once, in whichever state [A10]',
    async (why) => {
      const bench = await DeskBench.start();
      const home = await bench.home({ slots: 1, script: () => halfSaid });
      const [running, waiting] = [bench.ask(), bench.ask()];
      await bench.clock.advance(0);
      const submitting = bench.ask();
      for (const { leave } of [running, waiting, submitting]) leave(why);
      await bench.clock.advance(0);
      expect(cancelsOf(home)).toEqual(['r1-1', 'r2-1', 'r3-1']);
      expect(home.cancels.every(({ reason }) => reason === 'caller_gone')).toBe(true);
      await bench.clock.advance(10_000);
      expect(home).toMatchObject({ running: 0, waiting: 0 });
      for (const { endings, reply } of [running, waiting, submitting]) {
        expect(endings).toEqual([{ kind: 'left', why }]);
        expect(reply.outcome ?? reply.problem).toBeUndefined();
      }
      running.leave('disconnected');
      expect(running.endings).toHaveLength(1);
    },
  );
});

describe('a job past its deadline', () => {
  it('that nobody ends is ended here, a second later', async () => {
    const bench = await DeskBench.start();
    const home = await bench.home({ script: () => [] });
    const { reply } = bench.ask();
    await bench.clock.advance(60_900);
    expect(reply.problem).toBeUndefined();
    await bench.clock.advance(500);
    expect(reply.problem).toMatchObject({ status: 504, code: 'deadline_exceeded' });
    expect(cancelsOf(home)).toEqual(['r1-1']);
  });
});

describe('the roster', () => {
  const hear = (bench: DeskBench, epoch: number) =>
    bench.roster.hear({ balancerId: homeA, epoch, draining: false }, bench.clock.monotonicMs());

  it('forgets who was silent for three heartbeats', async () => {
    const bench = await DeskBench.start();
    hear(bench, 1);
    await bench.clock.advance(750);
    expect(bench.roster.taking).toBe(1);
    await bench.clock.advance(250);
    expect(bench.roster.taking).toBe(0);
  });

  it('forgets nobody because it stood still itself', () => {
    const roster = new BalancerRoster();
    roster.hear({ balancerId: homeA, epoch: 1, draining: false }, 0);
    roster.look(0, { hearing: true });
    roster.look(60_000, { hearing: true });
    expect(roster.taking).toBe(1);
    for (let ms = 60_250; ms <= 61_000; ms += 250) roster.look(ms, { hearing: true });
    expect(roster.taking).toBe(0);
  });

  it('does not go back to an earlier start of a balancer', async () => {
    const bench = await DeskBench.start();
    hear(bench, 2);
    hear(bench, 1);
    expect(bench.roster.lives({ balancerId: homeA, epoch: 2 })).toBe(true);
  });
});
