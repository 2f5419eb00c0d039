import { type LoadReport, workerId } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { defaultFleetViewLimits, FleetView } from '../src/index.ts';

const alice = workerId.parse('alice');

function report(changes: Partial<LoadReport> = {}): LoadReport {
  return {
    workerId: alice,
    epoch: 1,
    sequence: 0,
    slots: 4,
    running: [],
    draining: false,
    ...changes,
  };
}

const slots = (view: FleetView) => [...view.loads(0)].map((worker) => worker.slots);

describe('FleetView', () => {
  it('ignores reports out of order and of an earlier process [B3]', () => {
    const view = new FleetView();
    expect(view.report(report({ epoch: 5, sequence: 3 }), 0)).toEqual({
      kind: 'applied',
      newcomer: true,
    });
    expect(view.report(report({ epoch: 5, sequence: 3, slots: 9 }), 1)).toEqual({ kind: 'stale' });
    expect(view.report(report({ epoch: 4, sequence: 9, slots: 9 }), 1)).toEqual({ kind: 'stale' });
    expect(view.report(report({ epoch: 6, sequence: 0, slots: 2 }), 1)).toEqual({
      kind: 'applied',
      newcomer: true,
    });
    expect(slots(view)).toEqual([2]);
  });

  it('takes an earlier epoch for a new process once the known one was silent for 3 s [B3]', () => {
    const view = new FleetView();
    // A clock that was ahead, or a forged report.
    view.report(report({ epoch: 9_000_000, slots: 9 }), 0);
    expect(view.report(report({ epoch: 5, sequence: 7 }), 2_999)).toEqual({ kind: 'stale' });
    expect(view.report(report({ epoch: 5, sequence: 8 }), 3_000)).toEqual({
      kind: 'applied',
      newcomer: true,
    });
    expect(view.report(report({ epoch: 5, sequence: 9, slots: 2 }), 3_250).kind).toBe('applied');
    expect(slots(view)).toEqual([2]);
  });

  it('takes a worker for dead after 3 s of silence, and only its own report revives it [B3]', () => {
    const view = new FleetView();
    view.report(report(), 0);
    expect(view.anyServing(2_999)).toBe(true);
    expect(view.anyServing(3_000)).toBe(false);
    expect([...view.loads(3_000)][0]?.state).toEqual({ kind: 'dead', silentMs: 3_000 });
    // A stale report is no sign of life.
    view.report(report(), 3_100);
    expect(view.anyServing(3_100)).toBe(false);
    view.report(report({ sequence: 1 }), 3_200);
    expect(view.anyServing(3_200)).toBe(true);
  });

  it('does not count a draining worker as serving [B8]', () => {
    const view = new FleetView();
    view.report(report({ draining: true }), 0);
    expect(view.anyServing(0)).toBe(false);
  });

  it('keeps a bounded number of workers and forgets those long silent', () => {
    const view = new FleetView({ ...defaultFleetViewLimits, maxWorkers: 2 });
    view.report(report({ workerId: workerId.parse('a') }), 0);
    view.report(report({ workerId: workerId.parse('b') }), 30_000);
    expect(view.report(report({ workerId: workerId.parse('c') }), 59_999)).toEqual({
      kind: 'refused',
      reason: 'too_many_workers',
    });
    expect(view.report(report({ workerId: workerId.parse('c') }), 60_000).kind).toBe('applied');
  });
});
