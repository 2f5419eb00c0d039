import { type JobId, jobId, type LoadReport, workerId } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultFleetViewLimits, FleetView } from '../src/index.ts';

const alice = workerId.parse('alice');
const job = (name: string) => jobId.parse(name);

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

const inFlight = (view: FleetView, nowMs = 0) => [...view.loads(nowMs)][0]?.inFlight;

describe('FleetView', () => {
  it('counts a dispatch until a report covers it [B1]', () => {
    const view = new FleetView();
    view.report(report(), 0);
    view.dispatched(alice, job('j1'));
    expect(inFlight(view)).toBe(1);
    // Written before the dispatch reached the worker: it does not know of the job yet.
    view.report(report({ sequence: 1 }), 10);
    expect(inFlight(view)).toBe(1);
    view.report(report({ sequence: 2, running: [job('j1')] }), 20);
    view.accepted(alice, job('j1'));
    expect(inFlight(view)).toBe(1);
    view.report(report({ sequence: 3 }), 30);
    expect(inFlight(view)).toBe(0);
  });

  it('counts an accepted dispatch until the next report, then only what the report says', () => {
    const view = new FleetView();
    view.report(report(), 0);
    view.dispatched(alice, job('j1'));
    view.accepted(alice, job('j1'));
    expect(inFlight(view)).toBe(1);
    view.report(report({ sequence: 1 }), 10);
    expect(inFlight(view)).toBe(0);
  });

  it('forgets a refused dispatch at once, however often it is told', () => {
    const view = new FleetView();
    view.report(report(), 0);
    view.dispatched(alice, job('j1'));
    view.released(alice, job('j1'));
    view.released(alice, job('j1'));
    expect(inFlight(view)).toBe(0);
    expect(view.freeSlots(0)).toBe(4);
  });

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
    expect(view.freeSlots(1)).toBe(2);
  });

  it('takes a worker for dead after 3 s of silence, and only its own report revives it [B3]', () => {
    const view = new FleetView();
    view.report(report({ running: [job('j1')] }), 0);
    expect(view.freeSlots(2_999)).toBe(3);
    expect(view.holderOf(job('j1'), 2_999)).toBe('alice');
    expect(view.freeSlots(3_000)).toBe(0);
    expect(view.serving(3_000)).toBe(0);
    expect(view.holderOf(job('j1'), 3_000)).toBeUndefined();
    expect([...view.loads(3_000)][0]?.state).toEqual({ kind: 'dead', silentMs: 3_000 });
    // A stale report is no sign of life.
    view.report(report(), 3_100);
    expect(view.serving(3_100)).toBe(0);
    view.report(report({ sequence: 1 }), 3_200);
    expect(view.serving(3_200)).toBe(1);
  });

  it('counts no slot of a draining worker as free [B8]', () => {
    const view = new FleetView();
    view.report(report({ draining: true }), 0);
    expect(view.freeSlots(0)).toBe(0);
    expect(view.serving(0)).toBe(0);
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

  it('equals the truth once every dispatch is answered and a report has come [B1] [B4]', () => {
    type Step =
      | { readonly kind: 'send'; readonly accept: boolean; readonly reportFirst: boolean }
      | { readonly kind: 'finish'; readonly which: number }
      | { readonly kind: 'report' };
    const step: fc.Arbitrary<Step> = fc.oneof(
      fc.record({
        kind: fc.constant('send' as const),
        accept: fc.boolean(),
        reportFirst: fc.boolean(),
      }),
      fc.record({ kind: fc.constant('finish' as const), which: fc.nat(50) }),
      fc.record({ kind: fc.constant('report' as const) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const view = new FleetView();
        const truth = new Set<JobId>();
        let sequence = 0;
        let next = 0;
        const tell = () => {
          view.report(report({ sequence: sequence++, slots: 1_000, running: [...truth] }), 0);
        };
        tell();
        for (const one of steps) {
          if (one.kind === 'send') {
            const id = job(`j${next++}`);
            view.dispatched(alice, id);
            if (one.accept) truth.add(id);
            if (one.reportFirst) tell();
            if (one.accept) view.accepted(alice, id);
            else view.released(alice, id);
          } else if (one.kind === 'finish') {
            const id = [...truth][one.which % Math.max(1, truth.size)];
            if (id) truth.delete(id);
          } else {
            tell();
          }
          // Never below the truth: a slot is not promised twice.
          expect(inFlight(view)).toBeGreaterThanOrEqual(truth.size);
        }
        tell();
        expect(inFlight(view)).toBe(truth.size);
      }),
    );
  });
});
