import { SimulatedClock, seededRandom } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../../src/control/problems.ts';
import { covers, createFaultSchedule, maxFaults } from '../../src/faults/fault-schedule.ts';
import { type FaultInput, faultSpec } from '../../src/faults/fault-spec.ts';

const post = { method: 'POST', path: '/channels/1/messages' };

function schedule() {
  const clock = new SimulatedClock();
  let hits = 0;
  const faults = createFaultSchedule({
    clock,
    random: seededRandom(3),
    onHit: () => {
      hits += 1;
    },
  });
  const add = (fault: FaultInput) => faults.add(faultSpec.parse(fault));
  return { clock, faults, add, hits: () => hits };
}

describe('the fault schedule', () => {
  it('gives a REST fault so many times, to the routes it names', () => {
    const { faults, add, hits } = schedule();
    add({
      kind: 'server_error',
      when: 'after',
      times: 2,
      route: { method: 'POST', path: '/channels/' },
    });
    expect(faults.nextRestFault({ method: 'GET', path: '/channels/1' })).toBeUndefined();
    expect(faults.nextRestFault({ method: 'POST', path: '/webhooks/1' })).toBeUndefined();
    const fault = { kind: 'server_error', status: 502, when: 'after' };
    expect(faults.nextRestFault(post)).toEqual(fault);
    expect(faults.nextRestFault(post)).toEqual(fault);
    expect(faults.nextRestFault(post)).toBeUndefined();
    expect(hits()).toBe(2);
    expect(faults.list()).toMatchObject([{ hits: 2, active: false }]);
  });

  it('ends a fault by time', async () => {
    const { clock, faults, add } = schedule();
    add({ kind: 'html', forMs: 500 });
    await clock.advance(499);
    expect(faults.nextRestFault(post)).toEqual({ kind: 'html', status: 502 });
    await clock.advance(1);
    expect(faults.nextRestFault(post)).toBeUndefined();
  });

  it('hits a share of the requests', () => {
    const { faults, add } = schedule();
    add({ kind: 'slow', delayMs: 10, chance: 0.3 });
    const hit = Array.from({ length: 1000 }, () => faults.nextRestFault(post)).filter(Boolean);
    expect(hit.length).toBeGreaterThan(250);
    expect(hit.length).toBeLessThan(350);
  });

  it('filters by shard, and not at all where no shard is named', () => {
    const { faults, add } = schedule();
    add({ kind: 'swallow_heartbeat_acks', where: { shards: [1], shardCount: 2 }, times: 1 });
    expect(
      faults.takeGateway('swallow_heartbeat_acks', { shardId: 0, shardCount: 2 }),
    ).toBeUndefined();
    expect(
      faults.takeGateway('swallow_heartbeat_acks', { shardId: 1, shardCount: 4 }),
    ).toBeUndefined();
    expect(faults.takeGateway('slow_ready', { shardId: 1, shardCount: 2 })).toBeUndefined();
    expect(
      faults.takeGateway('swallow_heartbeat_acks', { shardId: 1, shardCount: 2 }),
    ).toBeDefined();
    expect(
      faults.takeGateway('swallow_heartbeat_acks', { shardId: 1, shardCount: 2 }),
    ).toBeUndefined();
    expect(covers({}, undefined)).toBe(true);
    expect(covers({ shards: [0] }, undefined)).toBe(false);
  });

  it('makes remaining 0 until it is cleared', () => {
    const { faults, add } = schedule();
    expect(faults.remainingIsZero()).toBe(false);
    add({ kind: 'remaining_zero' });
    expect(faults.remainingIsZero({ spend: true })).toBe(true);
    faults.clear();
    expect(faults.remainingIsZero()).toBe(false);
  });

  it('hands faults of the moment to its target and lists what they hit', () => {
    const { faults, add } = schedule();
    const struck: string[] = [];
    faults.setTarget({
      strike(fault) {
        struck.push(fault.kind);
        return 3;
      },
    });
    expect(add({ kind: 'reconnect' })).toMatchObject({ hits: 3, active: false });
    expect(add({ kind: 'refuse_connections', forMs: 100 })).toMatchObject({
      hits: 3,
      active: true,
    });
    expect(struck).toEqual(['reconnect', 'refuse_connections']);
  });

  it('forgets what is over, and refuses when full of what is active', () => {
    const { faults, add } = schedule();
    for (let made = 0; made < maxFaults + 5; made++) add({ kind: 'reconnect' });
    expect(faults.list()).toHaveLength(maxFaults);
    faults.clear();
    for (let made = 0; made < maxFaults; made++) add({ kind: 'html' });
    expect(() => add({ kind: 'html' })).toThrow('clear some');
  });

  it.each([
    [{ kind: 'htlm' }, 'kind', 'htlm'],
    [{ kind: 'slow' }, 'delayMs', null],
    [{ kind: 'slow', delayMs: -1 }, 'delayMs', -1],
    [{ kind: 'slow', delayMs: 5, forms: 1 }, 'forms', 1],
    [{ kind: 'close', code: 4006 }, 'code', 4006],
    [{ kind: 'half_open', where: { shards: ['a'] } }, 'where.shards[0]', 'a'],
  ])('names field, value and remedy of bad data %#', (input, field, value) => {
    const parsed = faultSpec.safeParse(input);
    const problems = parsed.error ? problemsOf(parsed.error, input) : [];
    expect(problems).toMatchObject([{ field, value }]);
    expect(problems[0]?.remedy).toMatch(/\w/);
  });
});
