import { SimulatedClock } from '@starling/clock';
import { channelId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { EditPace } from '../src/edit-pace.ts';

const channel = channelId.parse('200000000000000000');
const other = channelId.parse('200000000000000001');

describe('EditPace', () => {
  it('gives a channel one edit a second, however many ask [A9]', async () => {
    const clock = new SimulatedClock();
    const pace = new EditPace({ clock, minIntervalMs: 1000 });
    expect([pace.reserve(channel), pace.reserve(channel), pace.reserve(channel)]).toEqual([
      0, 1000, 2000,
    ]);
    expect(pace.reserve(other)).toBe(0);
    await clock.advance(2500);
    expect(pace.reserve(channel)).toBe(500);
  });

  it('slows down as the route bucket empties [A9]', () => {
    const clock = new SimulatedClock();
    const pace = new EditPace({ clock, minIntervalMs: 1000 });
    pace.reserve(channel);
    pace.learn(channel, { remaining: 4, resetAfterMs: 2000 });
    expect(pace.reserve(channel)).toBe(1000);
    pace.learn(channel, { remaining: 0, resetAfterMs: 4000 });
    expect(pace.reserve(channel)).toBe(4000);
  });

  it('spares a note every second or third turn, and only when no answer is kept waiting [B6]', async () => {
    const clock = new SimulatedClock();
    const pace = new EditPace({ clock, minIntervalMs: 1000 });
    expect(pace.reserveNote(channel, 'post')).toBe(0);
    // A post is no edit: the first text that comes after it is shown at once.
    expect(pace.reserve(channel)).toBe(0);
    await clock.advance(1999);
    expect(pace.reserveNote(channel, 'post')).toBeUndefined();
    expect(pace.reserveNote(other, 'edit')).toBe(0);
    await clock.advance(1);
    expect(pace.reserveNote(channel, 'edit')).toBe(0);
    expect(pace.reserve(channel)).toBe(1000);
    await clock.advance(2999);
    expect(pace.reserveNote(channel, 'edit')).toBeUndefined();
    await clock.advance(1);
    for (let turn = 0; turn < 2; turn += 1) pace.reserve(channel);
    expect(pace.reserveNote(channel, 'edit')).toBeUndefined();
    expect(pace.reserveNote(channel, 'post')).toBe(0);
  });
});
