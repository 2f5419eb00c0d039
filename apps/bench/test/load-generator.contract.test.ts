import {
  createServer,
  type IncomingHttpHeaders,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@starling/clock';
import { afterEach, describe, expect, it } from 'vitest';
import { type LoadGenerator, startLoadGenerator } from '../src/load/load-generator.ts';
import type { LoadPlan } from '../src/load/load-plan.ts';

const answer = JSON.stringify({
  choices: [{ message: { role: 'assistant', content: 'Hi' }, finish_reason: 'stop' }],
});
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0)) await one[Symbol.asyncDispose]();
});

async function serve(
  handle: (response: ServerResponse, prompt: string, headers: IncomingHttpHeaders) => void,
): Promise<string> {
  const server: Server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => {
      body += chunk;
    });
    request.on('end', () =>
      handle(response, JSON.parse(body).messages[0].content, request.headers),
    );
  });
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve));
  opened.push({
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1/chat/completions`;
}

async function generator(): Promise<LoadGenerator> {
  const one = await startLoadGenerator();
  opened.push(one);
  return one;
}

const planFor = (url: string, differences: Partial<LoadPlan> = {}): LoadPlan => ({
  url,
  headers: {},
  bearers: ['none'],
  body: { model: 'm', stream: false },
  promptPrefix: 'test',
  pace: { kind: 'open', arrivals: { kind: 'even', perSecond: 100 } },
  warmUpMs: 0,
  measureMs: 1_000,
  maxCalls: 10_000,
  maxInFlight: 512,
  drainMs: 5_000,
  maxTraces: 1_000,
  ...differences,
});

describe('the load generator', () => {
  it('counts latency from when a call was due, and goes on sending while the server stalls', async () => {
    // Nothing is answered until the 50th call has come: one stall of half a second. A generator
    // that waits for answers would never send that call; one that counts from the sending would
    // find the calls after the stall quick and so most calls.
    const held: ServerResponse[] = [];
    const url = await serve((response) => {
      held.push(response);
      if (held.length < 50) return;
      for (const each of held.splice(0)) each.end(answer);
    });
    const result = await (await generator()).run(planFor(url));
    expect(result).toMatchObject({ calls: 100, whole: 100, failed: 0, notSent: 0 });
    // The first waited for the 50th, which was due 490 ms later; the 25th half of that.
    const waits = result.traces.toSorted((a, b) => a.dueAtMs - b.dueAtMs).map(({ endMs }) => endMs);
    expect(waits[0]).toBeGreaterThan(450);
    expect(waits[24]).toBeGreaterThan(200);
    expect(result.latency.percentile(50)).toBeGreaterThan(200);
  });

  it('counts the wait for a server that takes one call at a time, whose queue grows', async () => {
    // 20 ms each, one after the other, called every 10 ms: the last of 50 waits half a second.
    let free = Promise.resolve();
    const url = await serve((response) => {
      free = free.then(async () => {
        await systemClock.sleep(20);
        response.end(answer);
      });
    });
    const result = await (await generator()).run(planFor(url, { measureMs: 500 }));
    expect(result.whole).toBe(50);
    expect(result.latency.percentile(99)).toBeGreaterThan(400);
    expect(result.latency.percentile(50)).toBeGreaterThan(200);
  });

  it('makes no call beyond its bound in flight, and says so', async () => {
    const url = await serve(() => {});
    const result = await (await generator()).run(
      planFor(url, { maxInFlight: 5, measureMs: 200, drainMs: 50 }),
    );
    expect(result).toMatchObject({ calls: 5, notSent: 15, whole: 0, failed: 5 });
    expect(result.problems).toContain('no end in 50 ms');
  });

  it('leaves the warm-up out of what it measures, not out of what it made', async () => {
    const url = await serve((response) => response.end(answer));
    const result = await (await generator()).run(planFor(url, { warmUpMs: 300, measureMs: 200 }));
    expect(result).toMatchObject({ calls: 50, whole: 20 });
    expect(result.lateness.total).toBe(20);
  });

  it('gives each call a key of its own where a target wants one', async () => {
    const keys = new Set<unknown>();
    const url = await serve((response, _prompt, headers) => {
      keys.add(headers['idempotency-key']);
      response.end(answer);
    });
    const keyHeader = 'idempotency-key';
    await (await generator()).run(planFor(url, { keyHeader, measureMs: 100 }));
    expect(keys).toEqual(new Set(Array.from({ length: 10 }, (_, call) => `test ${call}`)));
  });

  it('calls a refusal, a cut answer and a broken connection failed', async () => {
    const url = await serve((response, prompt) => {
      const which = Number(prompt.split(' ')[1]) % 3;
      if (which === 0) response.writeHead(503).end('busy');
      else if (which === 1) response.end('{"choices":[{"message":{"content":"Hi');
      else response.destroy();
    });
    const result = await (await generator()).run(planFor(url, { measureMs: 60 }));
    expect(result).toMatchObject({ failed: 6, whole: 0, statuses: { 200: 2, 503: 2 } });
    expect(result.problems).toEqual(
      expect.arrayContaining(['503 busy', 'the answer is not whole']),
    );
  });

  it('keeps a fixed number of calls in flight in the closed pace', async () => {
    let open = 0;
    let most = 0;
    const url = await serve((response) => {
      open += 1;
      most = Math.max(most, open);
      response.once('close', () => {
        open -= 1;
      });
      setImmediate(() => response.end(answer));
    });
    const result = await (await generator()).run(
      planFor(url, {
        pace: { kind: 'closed', inFlight: 4 },
        measureMs: 20_000,
        maxCalls: 300,
      }),
    );
    expect(result.calls).toBe(300);
    expect(result.failed).toBe(0);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('leaves as a client does after the first token, and tells when', async () => {
    const left: string[] = [];
    const url = await serve((response, prompt) => {
      response.write('data: {"choices":[{"delta":{"content":"Hi"}}]}\n\n');
      response.once('close', () => left.push(prompt));
    });
    const result = await (await generator()).run(
      planFor(url, {
        body: { model: 'm', stream: true },
        measureMs: 100,
        aborts: { share: 1, afterMs: { min: 0, max: 20 }, from: 'first-token', seed: 1 },
      }),
    );
    expect(result).toMatchObject({ aborted: 10, failed: 0, whole: 0 });
    expect(left.sort()).toEqual(result.traces.map(({ prompt }) => prompt).sort());
    for (const { dueAtMs, abortedAtMs = 0 } of result.traces) {
      expect(abortedAtMs).toBeGreaterThanOrEqual(dueAtMs);
    }
  });

  it('refuses a plan that is none', async () => {
    const one = await generator();
    await expect(one.run(planFor('nowhere'))).rejects.toThrow(/url/);
  });
});
