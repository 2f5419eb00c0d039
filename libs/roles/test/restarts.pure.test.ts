/** Answers that broke off after their first text: begun anew where what was shown can be replaced. */
import { ingressId } from '@starling/contracts';
import { answerOf, type FakeStep } from '@starling/llm/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';

const cut: readonly FakeStep[] = [
  { kind: 'text', text: 'Half of ' },
  {
    kind: 'error',
    fault: { code: 'answer_cut', detail: 'stream_truncated', retryable: true },
  },
];

describe('an answer that broke off', () => {
  let fleet: Fleet;

  beforeEach(async () => {
    fleet = await Fleet.start();
    await fleet.balancer();
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const delivered = () => fleet.cluster.delivered.length > 0;

  it('is begun anew at once, as an attempt whose text replaces the other [C6] [A9]', async () => {
    const { provider } = await fleet.worker('w0', {
      script: (call) => (call === 0 ? cut : answerOf('The whole.')),
    });
    await fleet.ask();
    await fleet.until(delivered, { withinMs: 1_000 });
    expect(provider.calls).toHaveLength(2);
    const { frames } = fleet.cluster;
    expect(frames.map(({ attempt, text }) => [attempt, text])).toEqual([
      [1, 'Half of '],
      [2, 'The whole.'],
    ]);
    expect(fleet.cluster.delivered).toMatchObject([
      { attempt: 2, outcome: { kind: 'done', text: 'The whole.' } },
    ]);
  });

  it('is told as it stands when the attempts are used up [C6] [F10]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => cut });
    await fleet.ask();
    await fleet.until(delivered);
    expect(provider.calls).toHaveLength(3);
    expect(fleet.cluster.delivered).toMatchObject([
      { attempt: 3, outcome: { kind: 'failed', code: 'answer_cut', partialText: 'Half of ' } },
    ]);
  });

  it('is not begun anew without time for it, nor when it showed nothing [C6]', async () => {
    const { provider } = await fleet.worker('w0', {
      script: (_, question) => (question === 'late' ? cut : cut.slice(1)),
    });
    await fleet.ask('late', { deadlineAtMs: fleet.clock.nowMs() + 2_000 });
    await fleet.until(delivered);
    await fleet.ask('nothing');
    await fleet.until(() => fleet.cluster.delivered.length === 2);
    expect(provider.calls).toHaveLength(2);
  });

  it('of a caller who has read it is his to ask again [C6]', async () => {
    const { provider } = await fleet.worker('w0', { script: () => cut });
    const at = { ingressId: ingressId.parse('i0'), requestId: 'r1', caller: 'app' };
    const job = await fleet.ask('Hi', { origin: { kind: 'ingress', stream: true, ...at } });
    await fleet.until(() => provider.calls.length === 1);
    await fleet.clock.advance(5_000);
    expect(provider.calls).toHaveLength(1);
    expect(await fleet.stores.ledger.read(job.jobId)).toMatchObject({ kind: 'end' });
  });
});
