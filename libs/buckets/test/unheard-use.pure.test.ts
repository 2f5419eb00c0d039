import { SimulatedClock } from '@starling/clock';
import { expect, it } from 'vitest';
import { createMemoryBuckets } from '../src/index.ts';
import { UnheardUse } from '../src/unheard-use.ts';

const limit = { kind: 'window', permits: 10, windowMs: 60_000 } as const;
const ask = (id: string, amount: number) => ({
  ...{ id, holdMs: 15_000 },
  asked: [{ key: 'k', limit, amount }],
});

it('tells what was used and what is held, once, whatever room there is [D4]', async () => {
  const shared = createMemoryBuckets({ clock: new SimulatedClock() });
  const unheard = new UnheardUse();
  await shared.reserve(ask('heard', 8));
  unheard.took(ask('ended', 9));
  unheard.settled('ended', [{ key: 'k', limit, amount: 5 }]);
  unheard.settled('ended', [{ key: 'k', limit, amount: 5 }]);
  unheard.took(ask('open', 4));
  await unheard.tell(shared);
  expect(unheard.isEmpty).toBe(true);
  expect(await shared.levels([{ key: 'k', limit }])).toEqual([8 + 5 + 4]);
  await unheard.tell(shared);
  // What is held is settled like any other.
  await shared.settle('open', [{ key: 'k', limit, amount: 1 }]);
  expect(await shared.levels([{ key: 'k', limit }])).toEqual([8 + 5 + 1]);
});

it('counts a call once that is settled while it is told of', async () => {
  const inner = createMemoryBuckets({ clock: new SimulatedClock() });
  const unheard = new UnheardUse();
  const shared = {
    ...inner,
    reserve: async (call: Parameters<typeof inner.reserve>[0]) => {
      const word = await inner.reserve(call);
      unheard.settled('open', [{ key: 'k', limit, amount: 3 }]);
      return word;
    },
  };
  unheard.took(ask('open', 4));
  while (!unheard.isEmpty) await unheard.tell(shared);
  expect(await inner.levels([{ key: 'k', limit }])).toEqual([3]);
});
