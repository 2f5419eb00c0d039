import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { SimulatedClock, systemClock } from '@starling/clock';
import { describe, expect, it, vi } from 'vitest';
import { connectionErrorFrom } from '../src/connection-error.ts';
import { ProviderConnection } from '../src/provider-connection.ts';
import { readAll, startProviderServer } from './provider-server.ts';

const options = { clock: systemClock, connectTimeoutMs: 5_000, keepAliveMs: 60_000 };

describe('ProviderConnection', () => {
  it('sends one request and hands back head and body', async () => {
    await using server = await startProviderServer((request, response) => {
      response.writeHead(418, { 'Set-Cookie': ['a=1', 'b=2'] });
      request.pipe(response);
    });
    const connection = new ProviderConnection({ ...options, origin: server.origin });
    const response = await readAll(connection, {
      method: 'POST',
      path: '/echo',
      headers: { 'content-type': 'text/plain' },
      body: 'hello',
    });
    expect(response.status).toBe(418);
    expect(response.header('set-cookie')).toBe('a=1, b=2');
    expect(response.header('x-absent')).toBeUndefined();
    expect(response.text).toBe('hello');
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
    await expect(readAll(connection)).rejects.toMatchObject({
      name: 'ConnectionError',
      code: 'reset',
    });
    expect(connection.broken).toBe(true);
    await connection.destroy();
  });

  it('fails with what its reader throws, and closes the socket', async () => {
    await using server = await startProviderServer((_, response) => response.write('endless'));
    const connection = new ProviderConnection({ ...options, origin: server.origin });
    const reading = readAll(connection, {}, () => {
      throw new RangeError('unreadable');
    });
    await expect(reading).rejects.toThrow(new RangeError('unreadable'));
    await vi.waitFor(() => expect(server.open()).toBe(0));
    expect(connection.broken).toBe(true);
    await connection.destroy();
  });

  it('never sends a request that was aborted while its socket was opened', async () => {
    let requests = 0;
    await using server = await startProviderServer((_, response) => {
      requests += 1;
      response.end('ok');
    });
    const connection = new ProviderConnection({ ...options, origin: server.origin });
    const abort = new AbortController();
    const left = readAll(connection, { signal: abort.signal });
    abort.abort(new Error('left'));
    await expect(left).rejects.toThrow('left');
    expect((await readAll(connection)).text).toBe('ok');
    expect(requests).toBe(1);
    await connection.destroy();
  });

  it('calls what is not HTTP a protocol error', async () => {
    const server = createServer((socket) => socket.resume().end('SSH-2.0-nothing\r\n'));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const connection = new ProviderConnection({ ...options, origin: `http://127.0.0.1:${port}` });
    await expect(readAll(connection)).rejects.toMatchObject({ code: 'protocol' });
    await connection.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });

  it('gives up connecting after its timeout, on its clock [C3]', async () => {
    const clock = new SimulatedClock();
    // TEST-NET-1 (RFC 5737) answers nobody; with no route at all the refusal is as good an end.
    const connection = new ProviderConnection({ ...options, clock, origin: 'https://192.0.2.1' });
    const outcome = readAll(connection).then(
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
