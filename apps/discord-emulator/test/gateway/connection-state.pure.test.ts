import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createKnobs } from '../../src/core/knobs.ts';
import { type ClientFrame, decodeClientFrame } from '../../src/gateway/client-frames.ts';
import { closeCodes } from '../../src/gateway/close-codes.ts';
import {
  type ConnectionEvent,
  type ConnectionState,
  openedConnection,
  step,
} from '../../src/gateway/connection-state.ts';

const knobs = createKnobs().current;
const identify: ClientFrame = {
  kind: 'identify',
  identify: { token: 't', intents: 1, properties: {} },
};
const heartbeat: ClientFrame = { kind: 'heartbeat', seq: null };
const frame = (sent: ClientFrame): ConnectionEvent => ({ kind: 'frame', frame: sent });

function run(events: readonly ConnectionEvent[], from: ConnectionState = openedConnection) {
  let state = from;
  const effects = events.flatMap((event) => {
    const next = step(state, event, { nowMs: 0, knobs });
    state = next.state;
    return next.effects;
  });
  return { state, effects };
}
const attached = run([frame(identify), { kind: 'attach', sessionId: 's' }]).state;

describe('a connection', () => {
  it('identifies once; a second IDENTIFY or RESUME closes 4005 and ends the session', () => {
    expect(attached.phase).toEqual({ kind: 'attached', sessionId: 's' });
    expect(run([frame(identify)], attached).effects).toEqual([
      { kind: 'release', sessionId: 's', session: 'ended' },
      { kind: 'close', code: 4005 },
    ]);
    const resume: ClientFrame = { kind: 'resume', resume: { token: 't', session_id: 's', seq: 1 } };
    expect(run([frame(resume)], attached).effects).toContainEqual({ kind: 'close', code: 4005 });
  });

  it('answers heartbeats before IDENTIFY, and closes 4003 for anything else', () => {
    expect(run([frame(heartbeat)]).effects).toEqual([{ kind: 'acknowledge_heartbeat' }]);
    expect(run([frame({ kind: 'accepted' })]).effects).toEqual([{ kind: 'close', code: 4003 }]);
    const members: ClientFrame = { kind: 'guild_members', request: { guild_id: '1' } };
    expect(run([frame(members)]).effects).toEqual([{ kind: 'close', code: 4003 }]);
    expect(run([frame(members)], attached).effects).toMatchObject([{ kind: 'serve_members' }]);
  });

  it('keeps the session for a missed heartbeat and a broken connection, not for 1000 and 1001', () => {
    const kept = { kind: 'release', sessionId: 's', session: 'kept' };
    expect(run([{ kind: 'heartbeat_overdue' }], attached).effects).toEqual([
      kept,
      { kind: 'close', code: 4000 },
    ]);
    for (const code of [1006, 4200, 4000]) {
      expect(run([{ kind: 'peer_closed', code }], attached).effects).toEqual([kept]);
    }
    for (const code of [1000, 1001]) {
      expect(run([{ kind: 'peer_closed', code }], attached).effects).toMatchObject([
        { kind: 'violation', rule: 'closed_with_1000' },
        { kind: 'release', session: 'ended' },
      ]);
      expect(run([{ kind: 'peer_closed', code }]).effects).toEqual([]);
    }
  });

  it('permits closes with 1000 when the knob says so', () => {
    const permitted = { ...knobs, permitClose1000: true };
    const event = { kind: 'peer_closed', code: 1000 } as const;
    expect(step(attached, event, { nowMs: 0, knobs: permitted }).effects).toEqual([
      { kind: 'release', sessionId: 's', session: 'ended' },
    ]);
  });

  it('closes 4008 at the 121st send of a minute, and not when they are spread', () => {
    const many = Array.from({ length: 121 }, () => frame(heartbeat));
    expect(run(many.slice(2), attached).state.phase.kind).toBe('attached');
    expect(run(many, openedConnection).effects.slice(-2)).toMatchObject([
      { kind: 'violation', rule: 'too_many_sends' },
      { kind: 'close', code: 4008 },
    ]);
    let state = openedConnection;
    for (let nowMs = 0; nowMs < 600_000; nowMs += 510) {
      state = step(state, frame(heartbeat), { nowMs, knobs }).state;
    }
    expect(state.phase.kind).toBe('unauthenticated');
    expect(state.sentMs.length).toBeLessThanOrEqual(120);
  });

  it('may identify again after op 9; only a resumable one keeps the session', () => {
    expect(run([{ kind: 'invalidate', resumable: true }], attached)).toMatchObject({
      state: { phase: { kind: 'unauthenticated' } },
      effects: [
        { kind: 'release', session: 'kept' },
        { kind: 'send', op: 9, d: true },
      ],
    });
    const gone = run([{ kind: 'invalidate', resumable: false }], attached);
    expect(gone.effects).toContainEqual({ kind: 'release', sessionId: 's', session: 'ended' });
    expect(run([frame(identify)], gone.state).effects).toMatchObject([{ kind: 'identify' }]);
  });

  it('closes with every code of the table, each with what becomes of the session', () => {
    for (const [text, row] of Object.entries(closeCodes)) {
      const code = Number(text) as keyof typeof closeCodes;
      expect(run([{ kind: 'close', code }], attached).effects).toEqual([
        { kind: 'release', sessionId: 's', session: row.session },
        { kind: 'close', code },
      ]);
    }
  });

  it('closes at most once, whatever happens in whatever order', () => {
    const anyEvent = fc.oneof(
      fc.constantFrom<ConnectionEvent>(
        frame(identify),
        frame(heartbeat),
        frame({ kind: 'accepted' }),
        frame({ kind: 'bad', code: 4002, problem: 'p' }),
        { kind: 'attach', sessionId: 's' },
        { kind: 'invalid' },
        { kind: 'reject', code: 4004 },
        { kind: 'heartbeat_overdue' },
        { kind: 'identify_overdue' },
        { kind: 'ask_reconnect' },
        { kind: 'taken_over' },
      ),
      fc.integer({ min: 1000, max: 4999 }).map((code) => ({ kind: 'peer_closed', code }) as const),
    );
    fc.assert(
      fc.property(fc.array(anyEvent, { maxLength: 40 }), (events) => {
        const { effects } = run(events);
        expect(effects.filter(({ kind }) => kind === 'close').length).toBeLessThanOrEqual(1);
        const closed = effects.findIndex(({ kind }) => kind === 'close');
        expect(closed === -1 || closed === effects.length - 1).toBe(true);
      }),
    );
  });
});

describe('client frames', () => {
  const decode = (data: string | Buffer, maxBytes = 4096) =>
    decodeClientFrame(Buffer.from(data), { isBinary: false, maxBytes });

  it.each([
    ['{', 4002],
    ['null', 4002],
    ['{"op":"2"}', 4002],
    ['{"op":99}', 4001],
    ['{"op":0,"d":{}}', 4001],
    ['{"op":2,"d":{"token":1}}', 4002],
    ['{"op":2,"d":{"token":"t","intents":1.5,"properties":{}}}', 4002],
    ['{"op":6,"d":{}}', 4002],
    ['{"op":8,"d":{"guild_id":"x"}}', 4002],
    [`{"op":1,"d":null,"x":"${'y'.repeat(4096)}"}`, 4002],
  ])('bad frame %# is closed with its code', (text, code) => {
    expect(decode(text)).toMatchObject({ kind: 'bad', code });
  });

  it('decodes what clients send', () => {
    expect(decode('{"op":1,"d":251}')).toEqual({ kind: 'heartbeat', seq: 251 });
    expect(decode('{"op":1,"d":null}')).toEqual({ kind: 'heartbeat', seq: null });
    expect(decode('{"op":3,"d":{"status":"online"}}')).toEqual({ kind: 'accepted' });
    const guild = '123456789012345678';
    expect(decode(`{"op":8,"d":{"guild_id":["${guild}"],"user_ids":"${guild}"}}`)).toEqual({
      kind: 'guild_members',
      request: { guild_id: guild, user_ids: [guild] },
    });
  });

  it('never throws', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decode(Buffer.from(bytes))),
    );
    fc.assert(
      fc.property(fc.integer({ min: -1, max: 50 }), fc.jsonValue(), (op, d) => {
        decode(JSON.stringify({ op, d }));
      }),
    );
  });
});
