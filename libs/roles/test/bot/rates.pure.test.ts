/** What somebody reads who asks too often, and that everybody else is answered meanwhile. */
import { SimulatedClock } from '@starling/clock';
import { type AdmissionRates, createMemoryAdmission } from '@starling/jobs';
import { expect, it } from 'vitest';
import { done, openBench } from './bot-bench.ts';

const none: AdmissionRates = {
  userPerSecond: 0,
  userBurst: 2,
  userPerMinute: 0,
  rolesPerMinute: new Map(),
  channelPerMinute: 0,
  guildPerMinute: 0,
};
const grace = { author: { id: '400000000000000001', username: 'grace' } };

function limited(rates: Partial<AdmissionRates>) {
  const bounds = { perUser: 20, perGuild: 20, rates: { ...none, ...rates } };
  const admission = createMemoryAdmission({ ...bounds, clock: new SimulatedClock() });
  return openBench({ admission, config: { answersPerCluster: 20 } });
}

it('tells whoever asks too often so, and when to ask again [D1] [D5]', async () => {
  await using bench = await limited({ userPerSecond: 1 });
  for (const text of ['one', 'two', 'three']) bench.discord.say(text);
  bench.discord.say('mine', grace);
  await bench.settle();
  expect(bench.discord.texts).toHaveLength(1);
  expect(bench.discord.texts[0]).toMatch(
    /^You have asked a lot in a short time · try again <t:\d+:R> · id [0-9a-f]{8}$/,
  );
  expect(await bench.store.size()).toBe(3);
});

it('takes the roles of whoever asks, and the channel, from the message [D1]', async () => {
  await using bench = await limited({
    userPerMinute: 1,
    rolesPerMinute: new Map([['77', 3]]),
    channelPerMinute: 4,
  });
  const member = { member: { roles: ['77'] } };
  for (const text of ['one', 'two', 'three', 'four']) bench.discord.say(text, member);
  bench.discord.say('mine', grace);
  bench.discord.say('and mine', { author: { id: '400000000000000002', username: 'linus' } });
  await bench.settle();
  expect(await bench.store.size()).toBe(4);
  expect(bench.discord.texts.map((text) => text.split(' ·')[0])).toEqual([
    'You have asked a lot in a short time',
    'This channel has asked a lot in a short time',
  ]);
});

it('settles a budget to what the answer came to, and says until when it is used up [D6]', async () => {
  const budgets = {
    ...{ userPerDay: 3_000, userPerMonth: 0, rolesPerDay: new Map(), channelPerDay: 0 },
    ...{ channelPerMonth: 0, guildPerDay: 0, guildPerMonth: 0 },
  };
  const clock = new SimulatedClock();
  const admission = createMemoryAdmission({ perUser: 20, perGuild: 20, budgets, clock });
  await using bench = await openBench({ admission, config: { maxCompletionTokens: 1_500 } });
  // Two of 1 500 and their prompts would be too much; an answer comes to far less.
  bench.discord.say('one');
  const first = await bench.take();
  bench.discord.say('two');
  await bench.settle();
  expect(bench.discord.texts[0]).toMatch(/^Your share of answers is used up.*try again <t:\d+:R>/);
  await bench.result(first, done('1'));
  bench.discord.say('three');
  await bench.settle();
  expect(await bench.store.size()).toBe(1);
});
