import { describe, expect, it } from 'vitest';
import { startTogether } from '../src/fleet/start-together.ts';

describe('parts that start together', () => {
  const part = (name: string, ended: string[]) => ({
    name,
    [Symbol.asyncDispose]: async () => {
      ended.push(name);
    },
  });

  it('end together, before what was started earlier', async () => {
    const ended: string[] = [];
    await using stack = new AsyncDisposableStack();
    stack.use(part('first', ended));
    const [a, none, b] = await startTogether(stack, [
      async () => part('a', ended),
      async () => undefined,
      async () => part('b', ended),
    ]);
    expect([a.name, none, b.name]).toEqual(['a', undefined, 'b']);
    await stack.disposeAsync();
    expect(ended).toEqual(['a', 'b', 'first']);
  });

  it('leaves nothing behind when one of them fails late', async () => {
    const ended: string[] = [];
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const stack = new AsyncDisposableStack();
    const start = startTogether(stack, [
      async () => {
        throw new Error('port taken');
      },
      async () => {
        await late;
        return part('slow', ended);
      },
    ]);
    resolve();
    await expect(start).rejects.toThrow('port taken');
    await stack.disposeAsync();
    expect(ended).toEqual(['slow']);
  });
});
