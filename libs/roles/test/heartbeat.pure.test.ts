import type { WorkerLoad } from '@starling/balance';
import { SimulatedClock } from '@starling/clock';
import {
  balancerHeartbeatContract,
  balancerId,
  decode,
  workerId as workerIdOf,
} from '@starling/contracts';
import { expect, it } from 'vitest';
import { Heart } from '../src/balancer/heartbeat.ts';

const serving = { kind: 'serving' } as const;
const dead = (silentMs: number) => ({ kind: 'dead', silentMs }) as const;

function worker(name: string, state: WorkerLoad['state'], ...served: string[]): WorkerLoad {
  const models = served.length > 0 && { models: { served, loaded: served } };
  return { workerId: workerIdOf.parse(name), state, slots: 1, inFlight: 0, ...models };
}

const api = worker('api', serving, 'small');

it.each([
  ['all that live', [api, worker('gpu', serving, 'large')], { models: ['small', 'large'] }],
  [
    'one that may restart',
    [api, worker('gpu', dead(7_900), 'large')],
    { models: ['small', 'large'] },
  ],
  [
    'one that may restart and serves any',
    [api, worker('any', dead(7_900))],
    { someModels: ['small'] },
  ],
  [
    'those that live, and of none that is gone for good',
    [api, worker('gpu', dead(8_000), 'large')],
    { models: ['small'] },
  ],
  ['nobody while all are dead', [worker('gpu', dead(3_000), 'large')], {}],
] as const)('tells the models of %s [B1]', async (_whose, loads, told) => {
  const clock = new SimulatedClock();
  const sent: Uint8Array[] = [];
  const heart = new Heart({
    ...{ balancerId: balancerId.parse('b'), clock },
    roster: { loads: () => loads },
    scaling: { words: {} },
    publish: (_subject, payload) => sent.push(payload),
  });
  await clock.advance(1_000);
  heart.beat({ draining: false });
  const [decoded] = sent.map((bytes) => decode(balancerHeartbeatContract, bytes));
  const { models, someModels } = decoded?.ok ? decoded.value : {};
  expect({ models, someModels }).toEqual({ models: undefined, someModels: undefined, ...told });
});
