import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import type { Answer } from '../src/chaos/discord-side.ts';
import { Interruptions } from '../src/chaos/interruptions.ts';

const opening = 'Simulated answer from sim-small; no real language';

/** A Discord in which an answer shows after 450 ms and, once stopped, says so; a press may be lost. */
async function interrupted(
  kind: 'stop' | 'delete',
  {
    lostPresses = 0,
    text = opening,
  }: { readonly lostPresses?: number; readonly text?: string } = {},
) {
  const clock = new SimulatedClock();
  const pressedAtMs: number[] = [];
  const deletedAtMs: number[] = [];
  const isStopped = () => pressedAtMs.length > lostPresses;
  const answer = async (): Promise<Answer> => {
    const shows = clock.monotonicMs() >= 450;
    return {
      answered: shows,
      text: !shows ? '' : isStopped() ? `${text}\n\nStopped · id 0123abcd` : text,
      firstTextMs: 450,
      lastChangeMs: 450,
      messages: [{ id: 'm', components: [{ components: [{ custom_id: 'stop:1:2' }] }] }],
    };
  };
  const people = new Interruptions({
    clock,
    discord: {
      answer,
      press: async () => void pressedAtMs.push(clock.monotonicMs()),
      delete: async () => void deletedAtMs.push(clock.monotonicMs()),
    },
    elapsedMs: () => clock.monotonicMs(),
  });
  people.begin(kind, { id: '1', userId: '2' });
  await clock.advance(60_000);
  await people.settled();
  return { deletedAtMs, done: people.done, pressedAtMs };
}

describe('a person who changes their mind', () => {
  it('presses Stop as soon as an answer streams', async () => {
    const { done, pressedAtMs } = await interrupted('stop');
    expect(pressedAtMs).toEqual([500]);
    expect(done.get('1')).toEqual({ kind: 'stop', atMs: 500 });
  });

  it('presses again what shows no effect, a few times', async () => {
    const { done, pressedAtMs } = await interrupted('stop', { lostPresses: 2 });
    expect(pressedAtMs).toEqual([500, 3_500, 6_500]);
    expect(done.get('1')?.atMs).toBe(6_500);
    expect((await interrupted('stop', { lostPresses: 99 })).pressedAtMs).toHaveLength(6);
  });

  it('deletes the question', async () => {
    const { deletedAtMs, done } = await interrupted('delete');
    expect(deletedAtMs).toEqual([500]);
    expect(done.get('1')?.kind).toBe('delete');
  });

  it('leaves alone what is whole already, and what never comes', async () => {
    const whole = await interrupted('stop', { text: `${opening}.` });
    expect([whole.pressedAtMs, whole.done.size]).toEqual([[], 0]);
    const never = await interrupted('delete', { text: '' });
    expect([never.deletedAtMs, never.done.size]).toEqual([[], 0]);
  });
});
