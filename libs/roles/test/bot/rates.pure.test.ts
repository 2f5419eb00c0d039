/** What somebody reads who asks too often, and that everybody else is answered meanwhile. */
import { SimulatedClock } from '@starling/clock';
import { type AdmissionRates, createMemoryAdmission } from '@starling/jobs';
import { expect, it } from 'vitest';
import { openBench } from './bot-bench.ts';

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
