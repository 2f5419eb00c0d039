import { expect, it } from 'vitest';
import { evidence } from '../src/chaos/evidence.ts';
import type { JudgedMessage } from '../src/chaos/judge.ts';
import type { Strike } from '../src/chaos/strikes.ts';

const strike = (target: string, atMs: number): Strike => ({
  ...{ fault: 'kill-worker', target, streaming: 20 },
  ...{ atMs, overMs: atMs + 500 },
});

it('names every strike that a message met, its end in the ledger, and its calls', () => {
  const message: JudgedMessage = {
    ...{ id: '7', n: 7, userId: '1', owners: 1, dueMs: 2_900, saidMs: 2_905 },
    ...{ stored: true, owed: false, verdict: 'note', endedMs: 16_000 },
    calls: [
      { startMs: 3_000, endMs: 3_100 },
      { startMs: 6_900, endMs: 7_100 },
      { startMs: 11_000, endMs: 11_200 },
    ],
  };
  const lines = evidence({
    messages: [message],
    strikes: [
      strike('worker-4', 1_000),
      strike('worker-1', 3_000),
      strike('worker-2', 7_000),
      strike('worker-3', 11_100),
      strike('worker-1', 17_000),
    ],
    record: {
      violations: [],
      violationCounts: {},
      counts: {},
      owed: [],
      expired: [],
      forgotten: 0,
    },
    answers: new Map([
      [
        '7',
        {
          verdict: 'note',
          text: 'Something went wrong · id 0123abcd',
          firstTextMs: 900,
          lastChangeMs: 13_095,
        },
      ],
    ]),
    ends: new Map([['7', { code: 'internal', attempt: 3 }]]),
    stranded: [],
  });
  expect(lines).toEqual([
    'failed 7; said at 2.9 s, last changed at 16.0 s; ' +
      'called the model 3.0 s to 3.1 s, 6.9 s to 7.1 s, 11.0 s to 11.2 s; ' +
      'internal after attempt 3; ' +
      'struck by kill-worker (worker-1) at 3.0 s, kill-worker (worker-2) at 7.0 s, ' +
      'kill-worker (worker-3) at 11.1 s; …"Something went wrong · id 0123abcd"',
  ]);
});
