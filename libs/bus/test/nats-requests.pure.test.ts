import { SimulatedClock } from '@starling/clock';
import { captureTelemetry } from '@starling/telemetry/testing';
import { type Msg, type NatsConnection, PermissionViolationError } from 'nats';
import { describe, expect, it } from 'vitest';
import { NatsLink } from '../src/nats-link.ts';
import { NatsRequests } from '../src/nats-requests.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';

const maxOpen = 5;

/** A server of which the test says what it sends; what it is sent is kept. */
function start() {
  const sent: string[] = [];
  const clock = new SimulatedClock();
  let deliver: ((error: Error | null, message: Msg) => void) | undefined;
  const errors: Error[] = [];
  const told = Promise.withResolvers<void>();
  const connection = {
    subscribe(subject: string, options: { callback: typeof deliver }) {
      sent.push(`SUB ${subject}`);
      deliver = options.callback;
    },
    protocol: { sendCommand: (frame: Uint8Array) => sent.push(text(frame)) },
    async *status() {
      await told.promise;
      for (const error of errors) yield { type: 'error', error };
    },
    closed: () => new Promise(() => {}),
    close: async () => {},
  };
  const link = new NatsLink({
    connection: connection as unknown as NatsConnection,
    address: 'test',
    clock,
  });
  const requests = new NatsRequests(link, () => {}, maxOpen);
  const ask = (subject: string, timeoutMs = 1_000) =>
    requests.ask(
      { subject, payload: bytes('?'), headers: {} },
      { headers: '', timeoutMs, signal: undefined },
    );
  return {
    ask,
    clock,
    link,
    sent,
    /** The inbox that the given request is to be answered at. */
    inbox: (at: number) =>
      /PUB \S+ (\S+) /.exec(sent.filter((one) => !/^SUB/.test(one))[at] ?? '')?.[1] ?? '',
    inboxes: () => sent[0]?.slice('SUB '.length) ?? '',
    answer(subject: string, payload: string) {
      const message = { subject, data: bytes(payload), _msg: { hdr: -1 }, _rdata: bytes(payload) };
      deliver?.(null, message as unknown as Msg);
    },
    refuse(...refused: Error[]) {
      errors.push(...refused);
      told.resolve();
    },
  };
}

describe('requests over one inbox', () => {
  it('listens once and before it asks, and gives each answer to its request', async () => {
    const server = start();
    const asked = [server.ask('a'), server.ask('b')];
    expect(server.sent.map((one) => one.split(' ')[0])).toEqual(['SUB', 'PUB', 'PUB']);
    server.answer(server.inbox(1), 'to b');
    server.answer(server.inbox(0), 'to a');
    server.answer(server.inbox(0), 'too late');
    server.answer('_INBOX.of.nobody', 'lost');
    const answers = await Promise.all(asked);
    expect(answers.map(({ payload }) => text(payload))).toEqual(['to a', 'to b']);
    expect(server.clock.pendingTimers).toBe(0);
  });

  it('fails the one whose subject the server does not let us use, and no other', async () => {
    await using telemetry = captureTelemetry();
    const server = start();
    const [fine, refused] = [server.ask('a'), server.ask('b')];
    const failure = expect(refused).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('request to b'),
    });
    server.refuse(denied('Publish', 'b'), new Error('something else'));
    await failure;
    server.answer(server.inbox(0), 'well');
    expect(text((await fine).payload)).toBe('well');
    expect(telemetry.lines.map(({ event }) => event)).toEqual(['server.error', 'server.error']);
  });

  it('fails all when the server does not let us listen to answers, and tries again for the next', async () => {
    await using _telemetry = captureTelemetry();
    const server = start();
    const asked = [server.ask('a'), server.ask('b')];
    const failures = asked.map((one) => expect(one).rejects.toMatchObject({ code: 'unreachable' }));
    server.refuse(denied('Subscription', server.inboxes()));
    await Promise.all(failures);
    void server.ask('c').catch(() => {});
    expect(server.sent.filter((one) => one.startsWith('SUB'))).toHaveLength(2);
    await server.link.close();
  });

  it('refuses more than it keeps, until one has ended', async () => {
    const server = start();
    const asked = Array.from({ length: maxOpen }, () =>
      server.ask('a').catch((error: unknown) => error),
    );
    await expect(server.ask('a')).rejects.toMatchObject({ code: 'full' });
    server.answer(server.inbox(0), 'one');
    await asked[0];
    const last = server.ask('a').catch((error: unknown) => error);
    await server.link.close();
    expect(await last).toMatchObject({ code: 'closed' });
    expect(server.clock.pendingTimers).toBe(0);
    await Promise.all(asked);
  });
});

/** As the server says it. */
function denied(operation: string, subject: string): Error {
  const error = PermissionViolationError.parse(
    `Permissions Violation for ${operation} to "${subject}"`,
  );
  if (!error) throw new Error('not understood');
  return error;
}
