/** Every dialect against the emulated provider, which passes the tests of each provider's own client. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock as clock, seededRandom } from '@starling/clock';
import { parseConfig, providerSection } from '@starling/config';
import { type Provider, providerFrom, type StreamPart } from '@starling/llm';
import { type Fault, type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const request = {
  messages: [
    { role: 'system' as const, content: 'Be kind.' },
    { role: 'user' as const, content: 'Hello' },
  ],
  maxCompletionTokens: 100,
};

describe.each([
  ['openai', '/v1'],
  ['ollama', ''],
  ['anthropic', '/v1'],
] as const)('the %s dialect', (dialect, path) => {
  let emulator: LlmEmulator;
  let provider: Provider;
  let stack: AsyncDisposableStack;

  beforeAll(async () => {
    stack = new AsyncDisposableStack();
    const random = seededRandom(1);
    emulator = stack.use(
      await startLlmEmulator({
        ...{ clock, random },
        knobs: { profile: { acceptedKeys: dialect === 'ollama' ? null : ['emulated-key'] } },
      }),
    );
    const folder = mkdtempSync(join(tmpdir(), 'starling-dialects-'));
    stack.defer(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'providers.json');
    const place = { name: 'there', dialect, baseUrl: `${emulator.url}${path}` };
    const keys = dialect === 'ollama' ? [] : [{ env: 'THERE' }];
    const ladder = [{ provider: 'there', model: 'sim-instant' }];
    const models = [{ name: 'chat', ladder }];
    writeFileSync(file, JSON.stringify({ providers: [{ ...place, keys }], models }));
    const settings = { STARLING_PROVIDERS_FILE: file, STARLING_PROVIDER_RETRIES: '0' };
    const config = parseConfig(providerSection, settings);
    const environment = { THERE: 'emulated-key' };
    provider = stack.use(providerFrom(config, { clock, random, environment }));
  });

  afterAll(() => stack.disposeAsync());

  async function ask(fault?: Fault, whole = false): Promise<StreamPart[]> {
    emulator.setFaults({ rules: fault ? [{ fault, next: 1 }] : [] });
    const parts: StreamPart[] = [];
    const call = { signal: new AbortController().signal, deadlineAtMs: clock.nowMs() + 10_000 };
    for await (const part of provider.stream(request, { ...call, whole })) parts.push(part);
    return parts;
  }

  const textOf = (parts: readonly StreamPart[]) =>
    parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');

  it('streams an answer, and gets the same in one piece, with its usage [C1] [C8]', async () => {
    const streamed = await ask();
    expect(textOf(streamed)).toMatch(/^Simulated/);
    expect(streamed.slice(-2)).toMatchObject([
      { kind: 'usage', usage: { estimated: false } },
      { kind: 'finish', reason: 'stop', model: 'sim-instant', provider: 'there' },
    ]);
    const whole = await ask(undefined, true);
    expect(textOf(whole)).toBe(textOf(streamed));
    expect(whole.at(-2)).toEqual(streamed.at(-2));
  });

  it.each<[string, object, object]>([
    ['400', { kind: 'status', status: 400 }, { code: 'provider_refused' }],
    ['529', { kind: 'status', status: 529 }, { code: 'provider_limited' }],
    ['an HTML page', { kind: 'status', status: 502 }, { detail: 'http_502' }],
    ['an error inside the stream', { kind: 'error-in-stream' }, { code: 'answer_cut' }],
    ['a cut stream', { kind: 'truncated' }, { code: 'answer_cut', detail: 'stream_truncated' }],
    ['no JSON', { kind: 'garbage-json' }, { code: 'answer_cut', detail: 'malformed_stream' }],
  ])('ends in a fault for %s [C4]', async (_, fault, expected) => {
    const [last] = (await ask(fault as Fault)).slice(-1);
    expect(last).toMatchObject({ kind: 'error', fault: expected });
  });
});
