import { SimulatedClock } from '@starling/clock';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it } from 'vitest';
import type { Rung } from '../src/ladder/rung.ts';
import { FakeProvider } from '../src/testing.ts';
import { tokenCounter } from '../src/token-counter.ts';
import { countUsage } from '../src/usage-metrics.ts';

describe('what calls use', () => {
  it('is counted by provider and model as the configuration names them [C8]', async () => {
    await using telemetry = captureTelemetry();
    const provider = new FakeProvider({ clock: new SimulatedClock(), script: () => [] });
    const rung = (model: string): Rung => ({
      ...{ id: model, keyId: 'k', keyName: '', model, providerName: 'near', provider },
    });
    const config = {
      providers: [],
      models: [{ name: 'chat', ladder: [{ provider: 'near', model: 'big' }] }],
      ...{ defaultModel: 'chat', takesAnyModel: true },
    };
    const usage = { promptTokens: 10, completionTokens: 5, estimated: false };
    countUsage({ rung: rung('big'), usage, costUsd: 0.5 }, config);
    countUsage({ rung: rung('big'), usage, costUsd: 0.25 }, config);
    countUsage({ rung: rung('anything'), usage, costUsd: undefined }, config);
    countUsage(
      { rung: rung('else'), usage: { ...usage, estimated: true }, costUsd: undefined },
      config,
    );
    const points = (await telemetry.metrics()).map(({ attributes, name, value }) => [
      ...[name, attributes.model, attributes.kind, attributes.estimated, value],
    ]);
    expect(points).toEqual([
      ['starling.llm.tokens', 'big', 'prompt', false, 20],
      ['starling.llm.tokens', 'big', 'completion', false, 10],
      ['starling.llm.tokens', 'other', 'prompt', false, 10],
      ['starling.llm.tokens', 'other', 'completion', false, 5],
      ['starling.llm.tokens', 'other', 'prompt', true, 10],
      ['starling.llm.tokens', 'other', 'completion', true, 5],
      ['starling.llm.cost', 'big', undefined, false, 0.75],
    ]);
  });

  it('is counted by a tokenizer where the provider told nothing [C8]', async () => {
    const count = await tokenCounter();
    expect(count('')).toBe(0);
    expect(count('The quick brown fox jumps over the lazy dog.')).toBe(10);
    // A control token is what somebody wrote; a run without spaces takes no longer than words do.
    expect(count('<|endoftext|>')).toBeGreaterThan(1);
    expect(count('a'.repeat(64 * 1024))).toBeGreaterThan(1_000);
  });
});
