import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { SimulatedClock, systemClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { connectionErrorFrom } from '../src/connection-error.ts';
import { ProviderConnection } from '../src/provider-connection.ts';
import { startProviderServer } from './provider-server.ts';

const never = new AbortController().signal;
const options = { clock: systemClock, connectTimeoutMs: 5_000, keepAliveMs: 60_000 };

describe('ProviderConnection', () => {
  it('sends one request and hands back head and body', async () => {
    await using server = await startProviderServer((request, response) => {
      response.writeHead(418, { 'Set-Cookie': ['a=1', 'b=2'] });
      request.pipe(response);
    });
    const connection = new ProviderConnection({ ...options, origin: server.origin });
    const response = await connection.request({
      method: 'POST',
      path: '/echo',
      headers: { 'content-type': 'text/plain' },
      body: 'hello',
      signal: never,
    });
    expect(response.status).toBe(418);
    expect(response.headers['set-cookie']).toBe('a=1, b=2');
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    expect(Buffer.concat(chunks).toString()).toBe('hello');
    expect(connection.broken).toBe(false);
    await connection.destroy();
    await connection.destroy();
  });

  it('calls a cut in the middle of the body a reset, and lends itself no more', async () => {
    await using server = await startProviderServer((_, response) => {
      response.write('half');
      setImmediate(() => response.socket?.destroy());
    });
    const connection = new ProviderConnection({ ...options, origin: server.origin });
    const response = await connection.request({
      method: 'GET',
      path: '/',
      headers: {},
      signal: never,
    });
    const reading = (async () => {
      for await (const _ of response.body);
    })();
    await expect(reading).rejects.toMatchObject({ name: 'ConnectionError', code: 'reset' });
    expect(connection.broken).toBe(true);
    await connection.destroy();
  });

  it('calls what is not HTTP a protocol error', async () => {
    const server = createServer((socket) => socket.resume().end('SSH-2.0-nothing\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connection = new ProviderConnection({ ...options, origin: `http://127.0.0.1:${port}` });
    const sent = connection.request({ method: 'GET', path: '/', headers: {}, signal: never });
    await expect(sent).rejects.toMatchObject({ code: 'protocol' });
    await connection.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('gives up connecting after its timeout, on its clock [C3]', async () => {
    const clock = new SimulatedClock();
    // TEST-NET-1 (RFC 5737) answers nobody; with no route at all the refusal is as good an end.
    const connection = new ProviderConnection({ ...options, clock, origin: 'https://192.0.2.1' });
    const sent = connection.request({ method: 'GET', path: '/', headers: {}, signal: never });
    const outcome = sent.then(
      () => 'connected',
      (error) => error.code,
    );
    await clock.advance(5_000);
    expect(['connect_timeout', 'refused']).toContain(await outcome);
    expect(clock.pendingTimers).toBe(0);
    await connection.destroy();
  });

  it.each([
    [Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), 'refused'],
    [new AggregateError([Object.assign(new Error('x'), { code: 'ETIMEDOUT' })]), 'connect_timeout'],
    [Object.assign(new Error('x'), { code: 'HPE_INVALID_CONSTANT' }), 'protocol'],
    [new TypeError('something else'), 'protocol'],
  ])('names the code of %s', (error, code) => {
    expect(connectionErrorFrom(error).code).toBe(code);
  });
});
