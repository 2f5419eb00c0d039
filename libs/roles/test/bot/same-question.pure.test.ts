/** People of one guild who ask the same: which prompt and which key their jobs get, and what is remembered. */
import { SimulatedClock } from '@starling/clock';
import type { Job } from '@starling/contracts';
import { callKeyOf, createMemoryAdmission } from '@starling/jobs';
import { describe, expect, it } from 'vitest';
import { done, openBench } from './bot-bench.ts';

const what = 'What is a murmuration?';
const person = (n: number) => ({
  author: { id: `40000000000000010${n}`, username: `person${n}` },
});
const elsewhere = { channel_id: '200000000000000077' };
const otherGuild = { channel_id: '200000000000000088', guild_id: '300000000000000088' };

type Bench = Awaited<ReturnType<typeof roomyBench>>;

/** A bench whose guild may have many questions open. */
function roomyBench(difference: Parameters<typeof openBench>[0] = {}) {
  const admission = createMemoryAdmission({
    clock: new SimulatedClock(),
    perUser: 20,
    perGuild: 20,
  });
  return openBench({
    admission,
    ...difference,
    config: { answersPerCluster: 30, ...difference.config },
  });
}

async function ask(bench: Bench, n: number, text = what, where: object = {}) {
  bench.discord.say(text, { ...person(n), ...where });
  return await bench.take();
}

/** Somebody asks and is answered. */
async function exchange(bench: Bench, n: number, text: string, advanceMs = 2_000): Promise<void> {
  const taken = await ask(bench, n, text);
  expect(await bench.result(taken, done(`about ${text}`), { advanceMs })).toBe('delivered');
}

const keysOf = (jobs: readonly { readonly job: Job }[]) =>
  new Set(jobs.map(({ job }) => job.callKey));
const promptsOf = (jobs: readonly { readonly job: Job }[]) =>
  new Set(jobs.map(({ job }) => JSON.stringify(job.messages)));

describe('people of a guild who ask the same', () => {
  it('ask with one prompt under one key, also where they and others were heard before [A8]', async () => {
    await using bench = await roomyBench();
    for (const n of [1, 2, 7]) await exchange(bench, n, `before ${n}`);
    const jobs = [];
    for (const n of [1, 2, 3, 4, 5]) jobs.push(await ask(bench, n));
    expect(promptsOf(jobs).size).toBe(1);
    const [first] = jobs;
    const { guildId = expect.fail() } = first?.job.origin ?? {};
    const key = first && callKeyOf(first.job, { kind: 'guild', guildId });
    expect(keysOf(jobs)).toEqual(new Set([key]));
    expect(first?.job.messages.map(({ content }) => content).slice(1)).toEqual([
      ...['person1: before 1', 'about before 1', 'person2: before 2', 'about before 2'],
      ...['person7: before 7', 'about before 7'],
      what,
    ]);
  });

  it('do so while the conversation goes on, and 5 s after the first was answered [A8]', async () => {
    await using bench = await roomyBench();
    const first = await ask(bench, 1);
    await exchange(bench, 7, 'something else');
    const second = await ask(bench, 2);
    await bench.result(first, done('Birds.'), { advanceMs: 3_000 });
    const third = await ask(bench, 3);
    expect(keysOf([first, second, third]).size).toBe(1);
    expect(promptsOf([first, second, third]).size).toBe(1);
    await bench.clock.advance(5_000);
    const late = await ask(bench, 4);
    expect(late.job.callKey).toBeDefined();
    expect(late.job.callKey).not.toBe(first.job.callKey);
    // By now what was said meanwhile belongs to the conversation.
    expect(JSON.stringify(late.job.messages)).toContain('Birds.');
  });

  it('share nothing with other questions, channels with other words, and guilds [A8]', async () => {
    await using bench = await roomyBench();
    await exchange(bench, 7, 'something else');
    const jobs = [
      await ask(bench, 1),
      await ask(bench, 2, 'What is a starling?'),
      await ask(bench, 3, what, elsewhere),
      await ask(bench, 4, what, otherGuild),
    ];
    expect(keysOf(jobs).size).toBe(4);
  });

  it('get an answer of their own when they ask again, or speak of themselves [A8]', async () => {
    await using bench = await roomyBench();
    await exchange(bench, 1, 'before 1');
    const first = await ask(bench, 1);
    const again = await ask(bench, 1);
    const other = await ask(bench, 2);
    const personal = await ask(bench, 1, 'What did I say?');
    const stranger = await ask(bench, 3, 'What did I say?');
    const keys = [first, again, other, personal, stranger].map(({ job }) => job.callKey);
    expect(keys).toEqual([keys[0], undefined, keys[0], undefined, keys[4]]);
    expect(keys[4]).not.toBe(keys[0]);
    // Elsewhere in the guild, too: the key is what counts.
    await bench.clock.advance(70_000);
    const [here, there] = [
      await ask(bench, 1, what, elsewhere),
      await ask(bench, 1, what, { channel_id: '200000000000000099' }),
    ];
    expect([here.job.callKey !== undefined, there.job.callKey]).toEqual([true, undefined]);
  });

  it('begin anew after a failure: nobody waits for what will not come [A8]', async () => {
    await using bench = await roomyBench();
    const first = await ask(bench, 1);
    await exchange(bench, 7, 'something else');
    const failed = { kind: 'failed', code: 'provider_unavailable', partialText: '' } as const;
    await bench.result(first, failed, { advanceMs: 1_000 });
    const next = await ask(bench, 2);
    expect(next.job.callKey).not.toBe(first.job.callKey);
  });

  it('are remembered once, however many were answered [A8] [A5]', async () => {
    await using bench = await roomyBench();
    const jobs = [];
    for (const n of [1, 2, 3]) jobs.push(await ask(bench, n));
    for (const [n, taken] of jobs.entries()) {
      const outcome = { ...done('Birds.'), ...(n > 0 && { shared: true }) };
      await bench.result(taken, outcome, { advanceMs: 5_000 });
    }
    const { channelId } = jobs[0]?.job.origin ?? expect.fail();
    const turns = await bench.conversations.recent(channelId);
    expect(turns).toMatchObject([
      { question: what, answer: 'Birds.', speaker: { name: 'person1' } },
    ]);
    const told = bench.exchanges.map(({ ending }) => ending.kind === 'answered' && ending.shared);
    expect(told).toEqual([undefined, true, true]);
  });

  it('share nothing where that is switched off: there each is asked for by name [A8]', async () => {
    await using bench = await roomyBench({ config: { shareCalls: false } });
    await exchange(bench, 1, 'before 1');
    const jobs = [await ask(bench, 2), await ask(bench, 3)];
    expect(keysOf(jobs)).toEqual(new Set([undefined]));
    expect(jobs[0]?.job.messages.at(-1)?.content).toBe(`person2: ${what}`);
  });

  it('share nothing in direct messages [A8] [F8]', async () => {
    await using bench = await roomyBench();
    bench.discord.sayDirectly(what, person(1));
    bench.discord.sayDirectly(what, person(2));
    expect(keysOf([await bench.take(), await bench.take()])).toEqual(new Set([undefined]));
  });
});
