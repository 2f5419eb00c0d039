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
});
