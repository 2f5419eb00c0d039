/** Workers of different models behind real balancers, on a simulated clock. */
import { decode, type LoadReport, loadReportContract, subjects } from '@starling/contracts';
import { type ModelSource, ModelSourceError, type ToldModels } from '@starling/llm';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Fleet } from './fleet-fixture.ts';
import { DeskBench } from './ingress/desk-bench.ts';

/** A provider that tells what the test says; undefined: it is out of reach. */
class ToldSource implements ModelSource {
  told: ToldModels | undefined;
  reads = 0;

  constructor(...names: readonly string[]) {
    this.told = names.length > 0 ? { served: names, loaded: names } : undefined;
  }

  async read(): Promise<ToldModels> {
    this.reads += 1;
    if (!this.told) throw new ModelSourceError('unreachable');
    return this.told;
  }
}

describe('the models of a fleet', () => {
  let fleet: Fleet;
  let reports: LoadReport[];

  beforeEach(async () => {
    fleet = await Fleet.start();
    reports = [];
    await fleet.bus.messaging.subscribe(subjects.allLoad, ({ payload }) => {
      const decoded = decode(loadReportContract, payload);
      if (decoded.ok) reports.push(decoded.value);
    });
  });

  afterEach(() => fleet[Symbol.asyncDispose]());

  const modelsNow = async (): Promise<LoadReport['models']> => {
    await fleet.clock.advance(300);
    return reports.at(-1)?.models;
  };

  it('are in the very first report, and follow the provider within its interval [B1]', async () => {
    const modelSource = new ToldSource('a');
    await fleet.worker('w0', { modelSource });
    await fleet.clock.advance(0);
    expect(reports[0]?.models).toEqual({ served: ['a'], loaded: ['a'] });
    modelSource.told = { served: ['a', 'b'], loaded: ['b'] };
    await fleet.clock.advance(30_000);
    expect(await modelsNow()).toEqual({ served: ['a', 'b'], loaded: ['b'] });
    modelSource.told = undefined;
    await fleet.clock.advance(60_000);
    expect(await modelsNow()).toEqual({ served: ['a', 'b'], loaded: ['b'] });
    expect(modelSource.reads).toBe(4);
  });

  it('are any until a provider that was away at the start is asked again [B1]', async () => {
    const modelSource = new ToldSource();
    await fleet.worker('w0', { modelSource });
    expect(await modelsNow()).toBeUndefined();
    modelSource.told = { served: ['a'], loaded: [] };
    await fleet.clock.advance(5_000);
    expect(await modelsNow()).toEqual({ served: ['a'], loaded: [] });
    const log = fleet.telemetry.lines.filter(({ event }) => event.startsWith('models.'));
    expect(log.map(({ event }) => event)).toEqual(['models.unknown', 'models.known']);
  });

  it('are those that the operator named, cold where the provider says so [B1]', async () => {
    const modelSource = new ToldSource();
    modelSource.told = { served: ['a', 'b', 'c'], loaded: ['a'] };
    await fleet.worker('w0', { modelSource, settings: { STARLING_WORKER_MODELS: 'a, b,alias' } });
    expect(await modelsNow()).toEqual({ served: ['a', 'b', 'alias'], loaded: ['a', 'alias'] });
  });

  it.each([
    ['any, by its settings', { STARLING_WORKER_MODELS: 'any' }, ['a']],
    ['more than a report holds', {}, Array.from({ length: 101 }, (_, n) => `m${n}`)],
  ] as const)('of a worker with %s are any [B1]', async (_what, settings, names) => {
    await fleet.worker('w0', { settings, modelSource: new ToldSource(...names) });
    expect(await modelsNow()).toBeUndefined();
  });

  it('keep no worker from starting whose provider hangs [B1]', async () => {
    let aborted = 0;
    const modelSource: ModelSource = {
      read: (signal) =>
        new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => {
            aborted += 1;
            reject(signal.reason);
          });
        }),
    };
    let started = false;
    void fleet.worker('w0', { modelSource }).then(() => {
      started = true;
    });
    await fleet.until(() => started, { withinMs: 2_100 });
    await fleet.clock.advance(5_000);
    expect(aborted).toBe(1);
  });

  it('decide who may run a job; one that nobody serves is refused, in words [B1] [F10]', async () => {
    const small = await fleet.worker('small', { modelSource: new ToldSource('s') });
    const large = await fleet.worker('large', { modelSource: new ToldSource('l') });
    for (const name of ['b0', 'b1']) await fleet.balancer(name);
    await fleet.clock.advance(4_000);
    for (let n = 0; n < 8; n += 1) {
      await fleet.ask('small', { model: 's' });
      await fleet.ask('large', { model: 'l' });
    }
    const lost = await fleet.ask('nobody', { model: 'x' });
    await fleet.until(() => fleet.cluster.delivered.length === 17, { withinMs: 10_000 });
    const asked = ({ calls }: typeof small.provider) => [
      ...new Set(calls.map(({ request }) => request.model)),
    ];
    expect([asked(small.provider), asked(large.provider)]).toEqual([['s'], ['l']]);
    const refused = fleet.cluster.delivered.find(({ jobId }) => jobId === lost.jobId);
    expect(refused?.outcome).toMatchObject({ kind: 'failed', code: 'model_not_found' });
  });

  it('are what an ephemeral job is refused by that its ingress let through [B1]', async () => {
    await fleet.worker('small', { modelSource: new ToldSource('s') });
    await fleet.balancer();
    const bench = await DeskBench.start(fleet);
    await fleet.clock.advance(1_000);
    const [served, lost] = [bench.ask({ model: 's' }), bench.ask({ model: 'x' })];
    await bench.until(() => served.endings.length + lost.endings.length === 2, 7_000);
    expect(served.reply.whole).toBe('Hello world');
    expect(lost.reply.problem).toMatchObject({
      status: 404,
      code: 'model_not_found',
      retry: false,
    });
  });

  it('let a job wait for its worker while none is known, and for one that restarts [B1]', async () => {
    await fleet.balancer();
    await fleet.ask('large', { model: 'l' });
    await fleet.clock.advance(8_000);
    await fleet.worker('small', { modelSource: new ToldSource('s') });
    await fleet.clock.advance(1_000);
    await fleet.worker('large', { modelSource: new ToldSource('l') });
    await fleet.until(() => fleet.cluster.delivered.length === 1, { withinMs: 2_000 });
    expect(fleet.cluster.delivered).toMatchObject([
      { servedBy: 'large', outcome: { kind: 'done' } },
    ]);
  });
});
