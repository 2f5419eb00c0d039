/** The front door's fleet side with real balancers and workers, on a simulated clock. */
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from '../fleet-fixture.ts';
import { DeskBench } from './desk-bench.ts';

const story: readonly FakeStep[] = [
  { kind: 'text', text: 'Once ' },
  { kind: 'wait', ms: 10_000 },
  ...answerOf('upon a time'),
];
const thinking: readonly FakeStep[] = [{ kind: 'wait', ms: 10_000 }, ...answerOf('Hello')];

describe('an ephemeral job in the fleet', () => {
  let fleet: Fleet;
  let bench: DeskBench;

  beforeEach(async () => {
    fleet = await Fleet.start();
    bench = await DeskBench.start(fleet);
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  it('is answered, streaming and not, and stands in no store', async () => {
    await fleet.worker('w0');
    await fleet.balancer();
    const [streamed, whole] = [bench.ask(), bench.ask({ stream: false })];
    await bench.until(() => streamed.endings.length + whole.endings.length === 2);
    expect(streamed.reply).toMatchObject({ whole: 'Hello world', outcome: { frames: 2 } });
    expect(whole.reply.outcome).toMatchObject({ text: 'Hello world', frames: 0 });
    expect(await fleet.stores.store.size()).toBe(0);
  });

  it('that is cancelled closes the stream of its provider at once [A10]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const asked = bench.ask();
    await bench.until(() => asked.reply.begun);
    const leftAtMs = fleet.clock.nowMs();
    asked.leave('disconnected');
    await fleet.clock.advance(0);
    expect(provider.calls[0]?.abortedAtMs).toBe(leftAtMs);
  });

  it('whose worker dies unseen is answered by another one', async () => {
    await fleet.worker('w0', { script: () => thinking });
    await fleet.balancer();
    const asked = bench.ask();
    await fleet.clock.advance(2_000);
    fleet.kill('w0');
    await fleet.worker('w1', { script: () => answerOf('Hello') });
    await bench.until(() => asked.endings.length > 0, 15_000);
    expect(asked).toMatchObject({ submissions: 2, reply: { whole: 'Hello' } });
  });

  it('whose worker dies in the middle is broken off honestly', async () => {
    await fleet.worker('w0', { script: () => story });
    await fleet.balancer();
    const asked = bench.ask();
    await bench.until(() => asked.reply.begun);
    fleet.kill('w0');
    await fleet.worker('w1');
    await bench.until(() => asked.endings.length > 0, 15_000);
    expect(asked.reply.whole).toBe('Once ');
    expect(asked.reply.problem).toMatchObject({ code: 'answer_cut' });
  });

  it('is not run again because its balancer leaves in good order', async () => {
    const { provider } = await fleet.worker('w0', {
      settings: { STARLING_WORKER_SLOTS: '1' },
      script: () => [{ kind: 'wait', ms: 5_000 }, ...answerOf('Hello')],
    });
    const balancers = [await fleet.balancer('b0'), await fleet.balancer('b1')];
    await fleet.clock.advance(1_000);
    const asked = Array.from({ length: 6 }, () => bench.ask({ stream: false }));
    await fleet.clock.advance(100);
    const [leaving] = balancers;
    const drained = leaving?.drain({ signal: new AbortController().signal });
    await bench.clock.advance(1_000);
    await drained;
    const gone = leaving?.[Symbol.asyncDispose]();
    await bench.until(() => asked.every(({ endings }) => endings.length > 0), 100_000);
    await gone;
    expect(asked.map(({ reply }) => reply.outcome?.text)).toEqual(Array(6).fill('Hello'));
    expect(provider.calls).toHaveLength(6);
  });

  it('shares a call with equal ones of its caller where it asks for that, and only there [A8]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => story });
    for (const name of ['b0', 'b1']) await fleet.balancer(name);
    await fleet.clock.advance(4_000);
    const shares = { shares: true };
    const sharing = [
      bench.ask({}, shares),
      bench.ask({ stream: false }, shares),
      bench.ask({}, shares),
    ];
    await fleet.clock.advance(100);
    expect(provider.calls).toHaveLength(1);
    const others = [
      bench.ask(),
      bench.ask({ temperature: 0.5 }, shares),
      bench.ask({}, { ...shares, caller: 'another' }),
    ];
    await fleet.clock.advance(100);
    expect(provider.calls).toHaveLength(4);
    // Who asked first leaves: the call goes on for those who stay.
    sharing[0]?.leave('disconnected');
    await bench.until(() => [...sharing, ...others].every(({ endings }) => endings.length > 0));
    expect(sharing[2]?.reply.whole).toBe('Once upon a time');
    expect(sharing[1]?.reply.outcome).toMatchObject({ text: 'Once upon a time', frames: 0 });
    expect(provider.calls.map(({ abortedAtMs }) => abortedAtMs)).toEqual(Array(4).fill(undefined));
  });

  it('without any worker is refused at once, to be asked again [B7]', async () => {
    await fleet.balancer();
    const asked = bench.ask();
    await fleet.clock.advance(100);
    expect(asked.reply.problem).toMatchObject({ status: 503, code: 'no_worker', retry: true });
  });
});
