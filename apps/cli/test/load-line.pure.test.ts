import { expect, it } from 'vitest';
import { loadLine } from '../src/screen/load-line.ts';

const load = { workers: 2, slots: 16, inFlight: 3, waiting: 0, wantedSlots: 16, wantedWorkers: 2 };

it.each([
  [
    { ...load, reason: 'steady' },
    '3 of 16 slots of 2 workers in use, 0 jobs waiting, 2 workers wanted: as many as there are',
  ],
  [
    { ...load, waiting: 1, waitMs: 4_200, wantedWorkers: 3, reason: 'backlog' },
    '3 of 16 slots of 2 workers in use, 1 job waiting (the last for about 5 s), 3 workers wanted: jobs wait for longer than they should',
  ],
  [
    {
      ...load,
      workers: 0,
      slots: 0,
      inFlight: 0,
      waiting: 2,
      wantedWorkers: 1,
      reason: 'no_worker',
    },
    '0 of 0 slots of 0 workers in use, 2 jobs waiting, 1 worker wanted: none serves',
  ],
] as const)('%j reads: %s [B9]', (signal, line) => {
  expect(loadLine(signal)).toBe(line);
});
