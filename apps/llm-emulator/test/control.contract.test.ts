import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import type { LlmEmulator } from '../src/testing.ts';
import { emulatorForTest, quickProfile, until } from './emulator-for-test.ts';

const control = async ({ url }: LlmEmulator, method: string, path: string, body?: unknown) => {
  const response = await fetch(`${url}/control/${path}`, {
    method,
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
};
const chatBody = JSON.stringify({ model: 'm', messages: [{ role: 'user', content: 'Hello' }] });
const chat = ({ url }: LlmEmulator, body = chatBody) =>
  fetch(`${url}/v1/chat/completions`, { method: 'POST', body });
const refused = (outcome: Promise<unknown>) =>
  outcome.then(
    () => 'answered',
    (error: Error) => (error.cause as { code?: string } | undefined)?.code,
  );

describe('the control door', () => {
  it('switches the profile at run time, and gives back what it takes', async () => {
    const emulator = await emulatorForTest();
    const put = await control(emulator, 'PUT', 'profile', {
      ...quickProfile,
      acceptedKeys: ['k1'],
      timeScale: 0.5,
    });
    expect(put.status).toBe(200);
    expect(put.body).toEqual((await control(emulator, 'GET', 'profile')).body);
    expect(JSON.stringify(put.body)).not.toContain('"k1"');
    expect((await chat(emulator)).status).toBe(401);
    expect((await control(emulator, 'PUT', 'profile', put.body)).body).toEqual(put.body);
  });

  it('switches faults at run time, and tells how often they struck', async () => {
    const emulator = await emulatorForTest();
    const rule = { next: 1, fault: { kind: 'status', status: 503 } };
    expect((await control(emulator, 'PUT', 'faults', { rules: [rule] })).status).toBe(200);
    expect([(await chat(emulator)).status, (await chat(emulator)).status]).toEqual([503, 200]);
    expect((await control(emulator, 'GET', 'faults')).body).toMatchObject({
      rules: [{ next: 1, matched: 1, struck: 1 }],
    });
    await control(emulator, 'PUT', 'faults', {});
    expect((await control(emulator, 'GET', 'faults')).body).toEqual({ rules: [] });
  });

  it('shows the record and starts a new one', async () => {
    const emulator = await emulatorForTest();
    await (await chat(emulator)).text();
    const { body } = await control(emulator, 'GET', 'record?requests=5&windowMs=2000');
    expect(body).toMatchObject({
      counts: { requests: 1 },
      windows: { windowMs: 2000, byStart: { requests: 1 } },
      requests: [{ path: '/v1/chat/completions' }],
    });
    await control(emulator, 'DELETE', 'record');
    const after = await control(emulator, 'GET', 'record');
    expect(after.body).toMatchObject({ counts: { requests: 0 }, requests: [] });
  });

  it('refuses bad input with field, value and remedy, and changes nothing', async () => {
    const emulator = await emulatorForTest();
    const before = emulator.profile();
    const wrong = await control(emulator, 'PUT', 'profile', { timeScale: 'fast' });
    expect(wrong).toEqual({
      status: 400,
      body: {
        error: {
          problems: [
            {
              field: 'timeScale',
              value: '"fast"',
              remedy: 'Invalid input: expected number, received string',
            },
          ],
        },
      },
    });
    expect(emulator.profile()).toBe(before);
    expect((await control(emulator, 'PUT', 'faults', '{oops')).status).toBe(400);
    expect((await control(emulator, 'PUT', 'faults', ' '.repeat(1_100_000))).status).toBe(400);
    expect((await control(emulator, 'GET', 'record?requests=-1')).status).toBe(400);
    expect((await control(emulator, 'GET', 'nowhere')).status).toBe(404);
    expect(() => emulator.setFaults({ rules: [{ next: 0, fault: { kind: 'no-usage' } }] })).toThrow(
      'rules.0.next=0',
    );
  });
});

describe('the port', () => {
  it('refuses connections for a while and then serves again', async () => {
    const clock = new SimulatedClock();
    const emulator = await emulatorForTest({}, {}, clock);
    const answer = await control(emulator, 'PUT', 'faults', { refuseConnectionsMs: 30_000 });
    expect(answer.status).toBe(200);
    await until(() => emulator.readRecord().connections.open === 0);
    await clock.advance(29_999);
    expect(await refused(chat(emulator))).toBe('ECONNREFUSED');
    await clock.advance(1);
    expect((await chat(emulator)).status).toBe(200);
  });

  it('drops answers in flight when it begins to refuse', async () => {
    const emulator = await emulatorForTest();
    const slow = JSON.stringify({ ...JSON.parse(chatBody), model: 'slow', stream: true });
    const response = await chat(emulator, slow);
    const reading = response.text().catch((error: Error) => error.message);
    emulator.setFaults({ refuseConnectionsMs: 60_000 });
    expect(await reading).toMatch(/terminated/);
    expect(await refused(chat(emulator))).toBe('ECONNREFUSED');
  });

  it('keeps connections, and knows that they are reused', async () => {
    const emulator = await emulatorForTest();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    for (let round = 0; round < 20; round++) {
      await new Promise<void>((resolve, reject) => {
        const sent = request(`${emulator.url}/v1/chat/completions`, { method: 'POST', agent });
        sent.on('response', (response) => text(response).then(() => resolve(), reject));
        sent.on('error', reject);
        sent.end(chatBody);
      });
    }
    agent.destroy();
    expect(emulator.readRecord().connections).toMatchObject({
      opened: 1,
      requests: 20,
      reuseRatio: 0.95,
    });
  });

  it('refuses a body beyond its bound, and connections beyond theirs', async () => {
    const emulator = await emulatorForTest({}, { bodyBytesMax: 1000, connectionsMax: 2 });
    const large = await chat(emulator, JSON.stringify({ model: 'm', filler: 'x'.repeat(2000) }));
    expect(large.status).toBe(413);
    expect(await large.json()).toMatchObject({ error: { code: 'request_too_large' } });
    await until(() => emulator.readRecord().connections.open === 0);
    const sockets = Array.from({ length: 3 }, () => connect(emulator.port, '127.0.0.1'));
    await until(() => emulator.readRecord().connections.refused === 1);
    for (const socket of sockets) socket.destroy();
  });

  it('answers what is no HTTP, no JSON and no path of its own', async () => {
    const emulator = await emulatorForTest();
    expect((await chat(emulator, '{"model":')).status).toBe(400);
    expect((await fetch(`${emulator.url}/v1/embeddings`)).status).toBe(404);
    const socket = connect(emulator.port, '127.0.0.1');
    socket.end('HELLO\r\n\r\n');
    expect(await text(socket)).toMatch(/^HTTP\/1.1 400/);
  });

  it('finishes what streams when it drains, and takes nothing new', async () => {
    const emulator = await emulatorForTest({
      rules: [{ fault: { kind: 'mid-stream-stall', stallMs: 100 } }],
    });
    const response = await chat(
      emulator,
      JSON.stringify({ ...JSON.parse(chatBody), stream: true }),
    );
    const drained = emulator.drain({ signal: new AbortController().signal });
    expect(await refused(chat(emulator))).toBe('ECONNREFUSED');
    expect(await response.text()).toContain('[DONE]');
    await drained;
    await emulator.close();
    await emulator.close();
  });

  it('stops waiting for what streams when the deadline of the drain is over', async () => {
    const emulator = await emulatorForTest();
    const slow = JSON.stringify({ ...JSON.parse(chatBody), model: 'slow', stream: true });
    const response = await chat(emulator, slow);
    const reading = response.text().catch((error: Error) => error.message);
    const deadline = new AbortController();
    const drained = emulator.drain({ signal: deadline.signal });
    deadline.abort();
    await drained;
    await emulator.close();
    expect(await reading).toMatch(/terminated/);
    expect(emulator.readRecord().counts.byEnding).toEqual({ aborted: 1 });
  });
});
