import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ProcessEvent, type ProcessState, stepProcess } from '../src/index.ts';

const stop = (atMs: number): ProcessEvent => ({
  kind: 'stop',
  cause: { kind: 'signal', signal: 'SIGTERM' },
  atMs,
});
const fault = (atMs: number): ProcessEvent => ({
  kind: 'stop',
  cause: { kind: 'fault', error: new Error('stray') },
  atMs,
});

/** Runs events from the start; every effect in order, and the last state. */
function play(events: readonly ProcessEvent[]) {
  let state: ProcessState = { kind: 'starting' };
  const effects: string[] = [];
  for (const event of events) {
    const next = stepProcess(state, event);
    state = next.state;
    effects.push(...next.effects);
  }
  return { state, effects };
}

describe('stepProcess', () => {
  it('serves, drains on a signal and stops', () => {
    const { state, effects } = play([{ kind: 'built' }, stop(10), { kind: 'ended' }]);
    expect(state).toEqual({ kind: 'stopped' });
    expect(effects).toEqual(['announce', 'arm_deadline', 'drain', 'exit']);
  });

  it('calls off a start, and drains what was built all the same', () => {
    const { state, effects } = play([stop(0), { kind: 'built' }, { kind: 'ended' }]);
    expect(state.kind).toBe('stopped');
    expect(effects).toEqual(['arm_deadline', 'abort_start', 'drain', 'exit']);
  });

  it('releases what a failed start had built, then fails', () => {
    const error = new Error('no disk');
    const { state, effects } = play([{ kind: 'build_failed', error, atMs: 1 }, { kind: 'ended' }]);
    expect(state).toEqual({ kind: 'failed', error });
    expect(effects).toEqual(['arm_deadline', 'release', 'exit']);
  });

  it('forces at the deadline once, and fails then', () => {
    const events: ProcessEvent[] = [{ kind: 'built' }, stop(0), { kind: 'deadline' }];
    expect(play(events).effects.at(-1)).toBe('force');
    expect(play([...events, { kind: 'deadline' }, stop(9_000)]).effects).toHaveLength(4);
    expect(play([...events, { kind: 'ended' }]).state.kind).toBe('failed');
    expect(play([...events, { kind: 'grace_over' }]).effects.at(-1)).toBe('exit');
  });

  it('forces at a second signal, but not at the echo of the first', () => {
    expect(play([{ kind: 'built' }, stop(0), stop(20)]).effects).not.toContain('force');
    expect(play([{ kind: 'built' }, stop(0), stop(20), stop(600)]).effects).toContain('force');
  });

  it('drains when the parent is gone', () => {
    const gone: ProcessEvent = { kind: 'stop', cause: { kind: 'parent_gone' }, atMs: 5 };
    const { state, effects } = play([{ kind: 'built' }, gone, gone, { kind: 'ended' }]);
    expect(effects).toEqual(['announce', 'arm_deadline', 'drain', 'exit']);
    expect(state.kind).toBe('stopped');
  });

  it.each([
    ['while serving', [{ kind: 'built' }, fault(0), { kind: 'ended' }]],
    ['while draining', [{ kind: 'built' }, stop(0), fault(1), { kind: 'ended' }]],
  ] satisfies [string, ProcessEvent[]][])('fails after a fault %s', (_when, events) => {
    expect(play(events).state).toMatchObject({ kind: 'failed', error: { message: 'stray' } });
  });

  it('announces and exits at most once, and nothing follows the exit', () => {
    const anyEvent = fc.oneof(
      fc.constantFrom<ProcessEvent>(
        { kind: 'built' },
        { kind: 'deadline' },
        { kind: 'ended' },
        { kind: 'ended', error: new Error('release') },
        { kind: 'grace_over' },
      ),
      fc.nat(2_000).map(stop),
      fc.nat(2_000).map(fault),
      fc.nat(2_000).map((atMs): ProcessEvent => ({ kind: 'build_failed', error: 'e', atMs })),
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 12 }), (events) => {
        const { state, effects } = play(events);
        const exits = effects.filter((effect) => effect === 'exit');
        const ended = state.kind === 'stopped' || state.kind === 'failed';
        expect(exits).toHaveLength(ended ? 1 : 0);
        if (ended) expect(effects.at(-1)).toBe('exit');
        expect(effects.filter((effect) => effect === 'announce').length).toBeLessThanOrEqual(1);
        expect(effects.filter((effect) => effect === 'force').length).toBeLessThanOrEqual(1);
      }),
    );
  });
});
