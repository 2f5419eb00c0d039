/** What real balancers say of the fleet's load, on a simulated clock. */
import {
  type BalancerHeartbeat,
  balancerHeartbeatContract,
  decode,
  subjects,
} from '@starling/contracts';
import { answerOf } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';
import { DeskBench } from './ingress/desk-bench.ts';

const slow = () => [{ kind: 'wait', ms: 20_000 } as const, ...answerOf('Hello')];
const settings = { STARLING_WORKER_SLOTS: '2', STARLING_SCALING_HOLD_MS: '5000' };

describe('the scaling signal', () => {
  let fleet: Fleet;
  let beats: Map<string, BalancerHeartbeat>;

  beforeEach(async () => {
    fleet = await Fleet.start();
    beats = new Map();
    await fleet.bus.messaging.subscribe(subjects.balancerHeartbeat, ({ payload }) => {
      const decoded = decode(balancerHeartbeatContract, payload);
      if (decoded.ok) beats.set(decoded.value.balancerId, decoded.value);
    });
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  it('counts stored jobs once and ephemeral ones of all balancers, and every one says it [B9]', async () => {
    for (const name of ['w0', 'w1']) await fleet.worker(name, { settings, script: slow });
    const balancers = [await fleet.balancer('b0', settings), await fleet.balancer('b1', settings)];
    const bench = await DeskBench.start(fleet);
    expect(balancers[0]?.snapshot().scaling).toBeUndefined();
    await fleet.clock.advance(5_000);
    for (let n = 0; n < 6; n += 1) await fleet.ask(`stored ${n}`);
    const asked = Array.from({ length: 8 }, () => bench.ask());
    await fleet.clock.advance(3_000);
    const expected = {
      ...{ workers: 2, slots: 4, inFlight: 4, waiting: 10 },
      // 4 in flight and 10 that wait, 80 % of the slots in use, 2 slots a worker.
      ...{ wantedSlots: 18, wantedWorkers: 9, reason: 'backlog' },
    };
    for (const balancer of balancers) expect(balancer.snapshot().scaling).toMatchObject(expected);
    const own = ['b0', 'b1'].map((name) => beats.get(name)?.ownWaiting ?? 0);
    expect(Math.min(...own)).toBeGreaterThan(0);
    expect(beats.get('b1')?.scaling).toMatchObject(expected);
    expect(bench.roster.scaling).toMatchObject(expected);
    const metrics = await fleet.telemetry.metrics();
    expect(metrics.map(({ name }) => name)).toContain('starling.fleet.wanted_workers');

    await bench.until(() => asked.every(({ endings }) => endings.length > 0), 120_000);
    await fleet.until(() => fleet.cluster.delivered.length === 6);
    await fleet.clock.advance(10_000);
    expect(balancers[0]?.snapshot().scaling).toMatchObject({ waiting: 0, wantedWorkers: 1 });
  });
});
