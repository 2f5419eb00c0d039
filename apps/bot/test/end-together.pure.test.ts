import { createDrainable } from '@starling/lifecycle';
import { expect, it } from 'vitest';
import { endTogether } from '../src/end-together.ts';

it('tells every part to drain at once, and is over when the last one is', async () => {
  const told: string[] = [];
  const first = Promise.withResolvers<void>();
  const part = (name: string, drained: Promise<void>) =>
    createDrainable({
      drain() {
        told.push(`${name} drains`);
        return drained;
      },
      release: () => void told.push(`${name} is released`),
    });
  const both = endTogether([part('c0', first.promise), part('c1', Promise.resolve())]);
  let isOver = false;
  const draining = both.drain({ signal: new AbortController().signal }).then(() => {
    isOver = true;
  });
  expect(told).toEqual(['c0 drains', 'c1 drains']);
  await Promise.resolve();
  expect(isOver).toBe(false);
  first.resolve();
  await draining;
  await both[Symbol.asyncDispose]();
  expect(told.slice(2).sort()).toEqual(['c0 is released', 'c1 is released']);
});
