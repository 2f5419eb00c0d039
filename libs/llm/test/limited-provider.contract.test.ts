import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createMemoryBuckets } from '@starling/buckets';
import { seededRandom, systemClock } from '@starling/clock';
import { parseConfig, providerSection } from '@starling/config';
import { expect, it } from 'vitest';
import { providerFrom } from '../src/index.ts';
import { collect } from './streams.ts';

const request = { messages: [{ role: 'user' as const, content: 'Hi' }], maxCompletionTokens: 9 };
const chunks = [
  { choices: [{ index: 0, delta: { content: 'Hi' } }] },
  { model: 'm', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
].map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);

it('a provider that says in its headers that nothing is left is not asked before it says [D2]', async () => {
  const askedAtMs: number[] = [];
  const server = createServer((incoming, response) => {
    askedAtMs.push(systemClock.monotonicMs());
    incoming.resume();
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'x-ratelimit-limit-requests': '100',
      'x-ratelimit-remaining-requests': '0',
      'x-ratelimit-reset-requests': '600ms',
    });
    response.end(chunks.join(''));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  await using stack = new AsyncDisposableStack();
  stack.defer(() => {
    server.closeAllConnections();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const config = parseConfig(providerSection, {
    OPENAI_BASE_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`,
    STARLING_PROVIDER_REQUESTS_PER_MINUTE: '100',
  });
  const clock = systemClock;
  const buckets = createMemoryBuckets({ clock });
  const model = stack.use(providerFrom(config, { clock, random: seededRandom(1), buckets }));
  const call = {
    signal: new AbortController().signal,
    deadlineAtMs: Number.MAX_SAFE_INTEGER,
  };
  for (let n = 0; n < 2; n += 1) {
    const parts = await collect(model.stream(request, call));
    expect(parts.at(-1)).toMatchObject({ kind: 'finish' });
  }
  const [first = 0, second = 0] = askedAtMs;
  expect(second - first).toBeGreaterThanOrEqual(590);
});
