/** Breakers that the workers of a fleet share, on a real NATS. */
import { type Bus, connectNats } from '@starling/bus';
import { systemClock as clock } from '@starling/clock';
import { subjects, workerId } from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { BreakerBoard, type BreakerChange, type Rung } from '@starling/llm';
import { FakeProvider } from '@starling/llm/testing';
import { telemetryFor } from '@starling/telemetry';
import { captureTelemetry } from '@starling/telemetry/testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { shareBreakers } from '../src/worker/share-breakers.ts';

const fault = { code: 'provider_unavailable', detail: 'http_500', retryable: true } as const;

describe('workers of one fleet', () => {
  let nats: RunningServer;
  let stack: AsyncDisposableStack;
  let rungs = 0;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    stack.use(captureTelemetry());
    nats = await startNatsServer();
    stack.defer(() => nats.stop());
  });

  afterAll(() => stack.disposeAsync());

  /** A rung of its own for each test. */
  function newRung(): Rung {
    rungs += 1;
    const keyId = `near near.example/v1 KEY_${rungs}`;
    const names = { keyName: `KEY_${rungs}`, providerName: 'near', model: 'big' };
    const provider = new FakeProvider({ clock, script: () => [] });
    return { ...{ id: `${keyId} big`, keyId, provider }, ...names };
  }

  async function join(name: string) {
    const changes: { readonly change: BreakerChange; readonly from: string }[] = [];
    const onChange = (change: BreakerChange, from: string) => changes.push({ change, from });
    const board = new BreakerBoard({ clock, onChange });
    const bus: Bus = stack.use(
      await connectNats({ url: nats.url, name, connectTimeoutMs: 10_000, clock }),
    );
    const telemetry = telemetryFor('worker');
    stack.use(await shareBreakers({ board, bus, telemetry, workerId: workerId.parse(name) }));
    const kind = (rung: Rung) => board.health.of(rung).breaker.kind(clock.monotonicMs());
    return { board, bus, changes, kind };
  }

  /** One call of a rung as a worker makes it. */
  function call(board: BreakerBoard, rung: Rung, result: Parameters<BreakerBoard['settle']>[1]) {
    const permit = board.health.of(rung).breaker.force(clock.monotonicMs());
    board.settle({ permit, rung }, result);
  }

  it('hear within 100 ms of a rung that opened, and of one that closed [C5]', async () => {
    const [one, other] = [await join('w1'), await join('w2')];
    const rung = newRung();
    call(one.board, rung, fault);
    expect(other.changes).toEqual([]);
    const openedAtMs = clock.monotonicMs();
    call(one.board, rung, fault);
    await vi.waitFor(() => expect(other.kind(rung)).toBe('open'), { interval: 1 });
    expect(clock.monotonicMs() - openedAtMs).toBeLessThan(100);
    expect(one.changes.map(({ from }) => from)).toEqual(['here']);
    expect(other.changes).toMatchObject([{ from: 'fleet', change: { state: 'open' } }]);
    call(one.board, rung, 'answered');
    await vi.waitFor(() => expect(other.kind(rung)).toBe('closed'), { interval: 1 });
  });

  it('leave a key alone that one of them found refused, or over its limit [C5]', async () => {
    const [one, other] = [await join('w3'), await join('w4')];
    const [refused, limited] = [newRung(), newRung()];
    call(one.board, refused, { ...fault, detail: 'http_401', retryable: false });
    call(one.board, limited, { ...fault, code: 'provider_limited', detail: 'http_429' });
    await vi.waitFor(() => {
      const now = clock.monotonicMs();
      expect(other.board.health.of(refused).key.isOut(now)).toBe(true);
      expect(other.board.health.of(limited).key.restMs(now)).toBeGreaterThan(0);
    });
    expect(other.kind(refused)).toBe('closed');
  });

  it('send one probe, and each its own while the bus is away [C5]', async () => {
    const [one, other] = [await join('w5'), await join('w6')];
    const rung = newRung();
    const may = await Promise.all([one.board.mayProbe(rung), other.board.mayProbe(rung)]);
    expect(may.filter((mine) => mine)).toHaveLength(1);
    // Whoever lost leaves the rung alone for a moment, to hear how it went.
    expect([one.kind(rung), other.kind(rung)].sort()).toEqual(['closed', 'open']);
    const next = newRung();
    await other.bus[Symbol.asyncDispose]();
    expect(await one.board.mayProbe(next)).toBe(true);
    expect(await other.board.mayProbe(next)).toBe(true);
  });

  it('pass over what they cannot read', async () => {
    const { bus, changes } = await join('w7');
    bus.messaging.publish(subjects.breakerState, Buffer.from('nonsense'));
    const word = { v: 1, workerId: 'w8', rungId: 'r', keyId: 'k', state: 'open', forMs: 1e6 };
    bus.messaging.publish(subjects.breakerState, Buffer.from(JSON.stringify(word)));
    await vi.waitFor(() => expect(changes).toHaveLength(1));
  });
});
