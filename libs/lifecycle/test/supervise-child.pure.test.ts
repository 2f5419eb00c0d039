import { SimulatedClock, seededRandom } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ChildEars,
  ChildError,
  type ChildExit,
  fullJitterMs,
  type SuperviseOptions,
  superviseChild,
} from '../src/index.ts';

interface FakeChild {
  readonly ears: ChildEars;
  readonly signals: string[];
  readonly exit: (exit: Partial<ChildExit>) => void;
}

/** Children that live and die as the test says; `script(n)` acts for the n-th child. */
function supervised(
  script: (child: FakeChild, index: number) => void,
  overrides: Partial<SuperviseOptions> = {},
) {
  const clock = new SimulatedClock();
  const children: FakeChild[] = [];
  const gaveUp: Error[] = [];
  const child = superviseChild({
    name: 'worker',
    command: { file: 'node', args: [], environment: {} },
    clock,
    random: seededRandom(1),
    ready: { kind: 'message' },
    readyTimeoutMs: 1_000,
    stopDeadlineMs: 5_000,
    restart: { baseMs: 100, capMs: 400, maxRestarts: 3, steadyMs: 10_000 },
    onGaveUp: (error) => void gaveUp.push(error),
    spawn: (_command, ears) => {
      const { promise: exited, resolve } = Promise.withResolvers<ChildExit>();
      const fake: FakeChild = {
        ears,
        signals: [],
        exit: (exit) => resolve({ code: null, signal: null, ...exit }),
      };
      children.push(fake);
      script(fake, children.length - 1);
      return {
        pid: 100 + children.length,
        exited,
        kill: (signal) => {
          fake.signals.push(signal);
          if (signal === 'SIGKILL') fake.exit({ signal: 'SIGKILL' });
        },
      };
    },
    ...overrides,
  });
  child.catch(() => {});
  return { clock, children, gaveUp, child };
}

const serve = (fake: FakeChild) =>
  queueMicrotask(() => fake.ears.message({ ready: true, port: 1 }));

describe('superviseChild', () => {
  it('resolves with what the child said when it was ready', async () => {
    const { child } = supervised(serve);
    expect((await child).ready).toMatchObject({ port: 1 });
    expect((await child).pid).toBe(101);
  });

  it('reads readiness from a line too', async () => {
    const lines: string[] = [];
    const { child } = supervised(
      (fake) => queueMicrotask(() => fake.ears.line('Server is ready', 'stderr')),
      {
        ready: { kind: 'line', matches: (line) => line.includes('is ready') },
        onLine: (line) => void lines.push(line),
      },
    );
    await child;
    expect(lines).toEqual(['Server is ready']);
  });

  it('starts a dead child again, after a pause within its bound', async () => {
    const { clock, children, child } = supervised(serve);
    const running = await child;
    children[0]?.exit({ signal: 'SIGKILL' });
    await clock.advance(100);
    expect(children).toHaveLength(2);
    expect(running.restarts).toBe(1);
    expect(running.pid).toBe(102);
  });

  it('lets its rest pass before it starts one again', async () => {
    const { clock, children, child } = supervised(serve, { minPauseMs: 5_000 });
    await child;
    children[0]?.exit({ code: 1 });
    await clock.advance(4_999);
    expect(children).toHaveLength(1);
    await clock.advance(1);
    expect(children).toHaveLength(2);
  });

  it('kills a child that is not ready in time, and gives up after its tries', async () => {
    const { clock, children, child } = supervised(() => {});
    const rejected = expect(child).rejects.toThrow(/was not ready in time/);
    await clock.advance(20_000);
    await rejected;
    expect(children).toHaveLength(4);
    expect(children.every(({ signals }) => signals.includes('SIGKILL'))).toBe(true);
    expect(clock.pendingTimers).toBe(0);
  });

  it('quotes the last lines of a child that failed', async () => {
    const { clock, child } = supervised((fake) => {
      queueMicrotask(() => {
        fake.ears.line('port 4222 is taken', 'stderr');
        fake.exit({ code: 1 });
      });
    });
    const rejected = expect(child).rejects.toThrow(/with code 1[\s\S]*port 4222 is taken/);
    await clock.advance(20_000);
    await rejected;
  });

  it('tries a program that cannot be started only once', async () => {
    const { clock, children, child } = supervised((fake) =>
      fake.exit({ error: new Error('ENOENT') }),
    );
    const rejected = expect(child).rejects.toThrow(ChildError);
    await clock.advance(0);
    await rejected;
    expect(children).toHaveLength(1);
  });

  it('tries a program whose settings are wrong only once', async () => {
    const { clock, children, child } = supervised((fake) => {
      queueMicrotask(() => {
        fake.ears.line('NATS_URL=here: give a URL', 'stderr');
        fake.exit({ code: 2 });
      });
    });
    const rejected = expect(child).rejects.toThrow('NATS_URL=here');
    await clock.advance(20_000);
    await rejected;
    expect(children).toHaveLength(1);
  });

  it('tells of each new try, then gives up a child that keeps dying and says so', async () => {
    const again: string[] = [];
    const { clock, children, gaveUp, child } = supervised(
      (fake) => {
        serve(fake);
        queueMicrotask(() => fake.exit({ code: 1 }));
      },
      { onRestart: ({ how }) => void again.push(how) },
    );
    await child;
    await clock.advance(20_000);
    expect(children).toHaveLength(4);
    expect(again).toEqual(Array(3).fill('worker ended with code 1'));
    expect(gaveUp).toHaveLength(1);
  });

  it('counts anew after a child that served steadily', async () => {
    const { clock, children, gaveUp, child } = supervised(serve);
    await child;
    for (let death = 0; death < 6; death += 1) {
      await clock.advance(10_000);
      children.at(-1)?.exit({ code: 1 });
      await clock.advance(400);
    }
    expect(gaveUp).toEqual([]);
    expect(children).toHaveLength(7);
  });

  it('ends by SIGTERM, then SIGKILL at the deadline, and starts nothing again', async () => {
    const { clock, children, gaveUp, child } = supervised(serve);
    const disposed = (await child)[Symbol.asyncDispose]();
    await clock.advance(4_999);
    expect(children[0]?.signals).toEqual(['SIGTERM']);
    await clock.advance(20_000);
    await disposed;
    expect(children[0]?.signals).toContain('SIGKILL');
    expect(children).toHaveLength(1);
    expect(gaveUp).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it('drains by SIGTERM and kills when the drain is cut', async () => {
    const { clock, children, child } = supervised(serve);
    const hurry = new AbortController();
    const drained = (await child).drain({ signal: hurry.signal });
    await clock.advance(60_000);
    expect(children[0]?.signals).toEqual(['SIGTERM']);
    hurry.abort();
    await drained;
    await clock.advance(0);
    expect(children[0]?.signals).toContain('SIGKILL');
  });

  it('does not give up, nor start again, when it is ended during a pause', async () => {
    const { clock, children, gaveUp, child } = supervised(serve);
    const running = await child;
    children[0]?.exit({ code: 1 });
    await clock.advance(0);
    await running[Symbol.asyncDispose]();
    await clock.advance(20_000);
    expect(children).toHaveLength(1);
    expect(gaveUp).toEqual([]);
  });

  it('kills the child of a start that is called off', async () => {
    const off = new AbortController();
    const { clock, children, child } = supervised(() => {}, { signal: off.signal });
    const rejected = expect(child).rejects.toThrow('never mind');
    await clock.advance(10);
    off.abort(new Error('never mind'));
    await rejected;
    expect(children[0]?.signals).toContain('SIGKILL');
    expect(clock.pendingTimers).toBe(0);
  });
});

describe('fullJitterMs', () => {
  it('stays between 0 and the doubled bound, and never above the cap', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer(), (failures, seed) => {
        const pauseMs = fullJitterMs({ baseMs: 10, capMs: 1_000 }, failures, seededRandom(seed));
        expect(pauseMs).toBeGreaterThanOrEqual(0);
        expect(pauseMs).toBeLessThan(Math.min(1_000, 10 * 2 ** (failures - 1)));
      }),
    );
  });
});
