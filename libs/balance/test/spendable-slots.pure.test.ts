import { seededRandom } from '@starling/clock';
import { workerId } from '@starling/contracts';
import { expect, it } from 'vitest';
import { chooseWorker } from '../src/choice/choose-worker.ts';
import { evenly } from '../src/core/spendable-slots.ts';
import type { WorkerLoad } from '../src/index.ts';

const worker = (
  name: string,
  of: Pick<WorkerLoad, 'slots' | 'inFlight' | 'score'>,
): WorkerLoad => ({
  ...{ workerId: workerId.parse(name), state: { kind: 'serving' } },
  ...of,
});

const slotsOf = (...workers: WorkerLoad[]) => ({ canServe: () => true, loads: () => workers });

it('a grant of ours that its sick worker is spared keeps no job from a slot that lies with a peer [B3] [B4]', () => {
  const ours = slotsOf(worker('sick', { slots: 8, inFlight: 7, score: 0.9 }));
  const theirs = slotsOf(worker('well', { slots: 8, inFlight: 7 }));
  const options = { exclude: new Set<never>(), random: seededRandom(1) };
  const choice = chooseWorker(evenly(ours, theirs).loads(undefined), options);
  expect(choice).toMatchObject({ kind: 'chosen', workerId: 'well' });
});
