import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { type CuttableLink, openLink } from '../src/chaos/cuttable-link.ts';

/** A server that sends back what it gets, a link to it and a client behind the link. */
async function linked(stack: AsyncDisposableStack) {
  const seen: string[] = [];
  const server = createServer((socket) => {
    socket.on('data', (bytes) => {
      seen.push(bytes.toString());
      socket.write(bytes);
    });
    socket.on('error', () => {});
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stack.defer(async () => {
    server.close();
  });
  const link = stack.use(await openLink((server.address() as AddressInfo).port));
  return { link, seen, dial: () => dial(link, stack) };
}

async function dial(link: CuttableLink, stack: AsyncDisposableStack) {
  const socket = connect({ port: link.port, host: '127.0.0.1' });
  const got: string[] = [];
  socket.on('data', (bytes) => got.push(bytes.toString()));
  socket.on('error', () => {});
  stack.defer(() => {
    socket.destroy();
  });
  await once(socket, 'connect');
  const echoed = async (text: string) => {
    socket.write(text);
    while (!got.join('').endsWith(text)) await once(socket, 'data');
  };
  return { socket, got, echoed };
}

/** However it ends: a reset is an error first. */
const closed = (socket: Socket) =>
  new Promise<void>((resolve) => {
    if (socket.destroyed) resolve();
    else socket.once('close', () => resolve());
  });

describe('a link that can be cut', () => {
  it('passes what is sent, both ways', async () => {
    await using stack = new AsyncDisposableStack();
    const { dial, link, seen } = await linked(stack);
    const client = await dial();
    await client.echoed('hello');
    expect(seen).toEqual(['hello']);
    expect(link.connections).toBe(1);
  });

  it('passes nothing while it is cut, and what waited when it heals', async () => {
    await using stack = new AsyncDisposableStack();
    const { dial, link, seen } = await linked(stack);
    const [client, other] = [await dial(), await dial()];
    await client.echoed('before');
    link.cut();
    client.socket.write('meanwhile');
    const late = await dial();
    late.socket.write('a new one');
    // Both have reached the proxy's side of the kernel: a third one that is not cut is served.
    await using beside = new AsyncDisposableStack();
    await (await (await linked(beside)).dial()).echoed('a round trip elsewhere');
    expect(seen).toEqual(['before']);
    expect(client.socket.destroyed).toBe(false);
    link.heal({ reset: false });
    await client.echoed('after');
    await late.echoed('!');
    expect(client.got.join('')).toBe('beforemeanwhileafter');
    expect(late.got.join('')).toBe('a new one!');
    await other.echoed('still there');
  });

  it('resets every connection when it heals so, and takes new ones', async () => {
    await using stack = new AsyncDisposableStack();
    const { dial, link } = await linked(stack);
    const client = await dial();
    await client.echoed('before');
    link.cut();
    link.heal({ reset: true });
    await closed(client.socket);
    expect(link.connections).toBe(0);
    await (await dial()).echoed('again');
  });

  it('ends the connection of a client whose server is not there', async () => {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, 'close');
    await using stack = new AsyncDisposableStack();
    const link = stack.use(await openLink(port));
    const socket = connect({ port: link.port, host: '127.0.0.1' });
    socket.on('error', () => {});
    await closed(socket);
    expect(link.connections).toBe(0);
  });
});
