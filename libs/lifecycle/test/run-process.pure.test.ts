import { SimulatedClock } from '@starling/clock';
import { field, parseConfig } from '@starling/config';
import { describe, expect, it } from 'vitest';
import {
  createDrainable,
  type Drainable,
  type ProcessHost,
  type RunProcessOptions,
  runProcess,
  type StopCause,
} from '../src/index.ts';

/** A process that can be told to stop and that writes down what happens to it. */
function fakeHost() {
  const listeners = new Set<(cause: StopCause) => void>();
  const diary: string[] = [];
  const host: ProcessHost = {
    pid: 42,
    onStop(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
    send: (message) => void diary.push(`send ${JSON.stringify(message)}`),
    writeOut: (text) => void diary.push(`out ${text.trimEnd()}`),
    writeError: (text) => void diary.push(`err ${text.trimEnd()}`),
    exit: (code) => void diary.push(`exit ${code}`),
  };
  const stop = (cause: StopCause) => {
    for (const listener of listeners) listener(cause);
  };
  return { host, diary, stop, listeners };
}

const sigterm: StopCause = { kind: 'signal', signal: 'SIGTERM' };

interface Tools {
  readonly clock: SimulatedClock;
  readonly diary: string[];
  /** A part whose drain takes its time. */
  readonly named: (name: string, drainMs: number) => Drainable;
}

function start(overrides: (tools: Tools) => Partial<RunProcessOptions> = () => ({})) {
  const clock = new SimulatedClock();
  const { host, diary, stop, listeners } = fakeHost();
  const named = (name: string, drainMs: number) =>
    createDrainable({
      async drain({ signal }) {
        await clock.sleep(drainMs, { signal }).catch(() => diary.push(`${name} cut`));
        diary.push(`${name} drained`);
      },
      release: () => void diary.push(`${name} released`),
    });
  const code = runProcess({
    name: 'worker',
    clock,
    environment: {},
    drainDeadlineMs: 1_000,
    host,
    build: async (stack) => {
      stack.defer(() => void diary.push('stack released'));
      return [named('store', 10), named('server', 10)];
    },
    ...overrides({ clock, diary, named }),
  });
  return { clock, diary, stop, listeners, code };
}

describe('runProcess', () => {
  it('announces itself, drains in reverse, releases in reverse, exits 0', async () => {
    const { clock, diary, stop, listeners, code } = start();
    await clock.advance(0);
    stop(sigterm);
    await clock.advance(100);
    expect(await code).toBe(0);
    expect(diary).toEqual([
      'send {"ready":true,"name":"worker","pid":42}',
      'server drained',
      'store drained',
      'server released',
      'store released',
      'stack released',
      'exit 0',
    ]);
    expect(listeners.size).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it('writes its readiness on standard output when asked, with what the program adds', async () => {
    const { clock, diary } = start(() => ({
      environment: { STARLING_READY: 'stdout' },
      build: async () => ({ parts: [], ready: { port: 8080 } }),
    }));
    await clock.advance(0);
    expect(diary).toContain('out {"ready":true,"name":"worker","pid":42,"port":8080}');
  });

  it('cuts the drain at its deadline and exits 1', async () => {
    const { clock, diary, stop, code } = start(({ named }) => ({
      build: async () => ({ parts: [named('server', 60_000)], drainDeadlineMs: 500 }),
    }));
    await clock.advance(0);
    stop(sigterm);
    await clock.advance(499);
    expect(diary).not.toContain('server cut');
    await clock.advance(1);
    expect(await code).toBe(1);
    expect(diary.slice(1)).toEqual(['server cut', 'server drained', 'server released', 'exit 1']);
  });

  it('cuts the drain at a second signal', async () => {
    const { clock, diary, stop, code } = start(({ named }) => ({
      build: async () => [named('server', 60_000)],
    }));
    await clock.advance(0);
    stop(sigterm);
    stop(sigterm);
    await clock.advance(600);
    expect(diary).not.toContain('server cut');
    stop({ kind: 'signal', signal: 'SIGINT' });
    await clock.advance(0);
    expect(await code).toBe(1);
  });

  it('exits though a release hangs', async () => {
    const stuck = createDrainable({ drain: () => {}, release: () => new Promise(() => {}) });
    const { clock, stop, code } = start(() => ({ build: async () => [stuck] }));
    await clock.advance(0);
    stop(sigterm);
    await clock.advance(1_000 + 2_000);
    expect(await code).toBe(1);
  });

  it('prints each wrong setting with value and remedy, hides secrets, exits 2', async () => {
    const section = {
      port: field.integer('PORT', { default: 1, min: 1, max: 9, doc: 'A port.' }),
      key: field.text('KEY', { default: 'a', pattern: /^a$/, secret: true, doc: 'A key.' }),
    };
    const environment = { PORT: 'eighty', KEY: 'hush-hush' };
    const { clock, diary, code } = start(() => ({
      environment,
      build: async () => {
        parseConfig(section, environment);
        return [];
      },
    }));
    await clock.advance(0);
    expect(await code).toBe(2);
    expect(diary[0]).toMatch(
      /^err worker cannot start:\n {2}PORT=eighty: set it to a whole number/,
    );
    expect(diary[0]).toContain('KEY=(hidden)');
    expect(diary[0]).not.toContain('hush');
  });

  it('releases what a failed start had built', async () => {
    const { clock, diary, code } = start((tools) => ({
      build: async (stack) => {
        stack.defer(() => void tools.diary.push('stack released'));
        throw new Error('no disk');
      },
    }));
    await clock.advance(0);
    expect(await code).toBe(1);
    expect(diary).toEqual(['stack released', 'exit 1']);
  });

  it('calls off a start that is asked to end', async () => {
    const { clock, stop, code } = start((tools) => ({
      build: async (_stack, { signal }) => {
        await tools.clock.sleep(60_000, { signal });
        return [];
      },
    }));
    await clock.advance(10);
    stop(sigterm);
    await clock.advance(0);
    expect(await code).toBe(0);
  });

  it('logs an error nobody caught, once, drains, and exits 1', async () => {
    const logged: string[] = [];
    const log = {
      info: () => {},
      warn: () => {},
      error: (event: string) => void logged.push(event),
    };
    const { clock, diary, stop, code } = start(() => ({ log }));
    await clock.advance(0);
    stop({ kind: 'fault', error: new Error('stray') });
    await clock.advance(100);
    expect(await code).toBe(1);
    expect(diary).toContain('store drained');
    expect(logged).toEqual(['process.fault']);
  });

  it('drains when its parent is gone', async () => {
    const { clock, diary, stop, code } = start();
    await clock.advance(0);
    stop({ kind: 'parent_gone' });
    await clock.advance(100);
    expect(await code).toBe(0);
    expect(diary).toContain('server drained');
  });
});
