import { SimulatedClock } from '@starling/clock';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LogDetail, log, withSpan } from '../src/index.ts';
import { useLogOutput } from '../src/log.ts';
import type { LogLevel, LogLine } from '../src/log-line.ts';
import { jsonSink, prettySink } from '../src/log-sinks.ts';
import { captureTelemetry, logLineSchema } from '../src/testing.ts';

/** What a sink writes for one event. */
function written(
  kind: 'json' | 'pretty',
  options: { level?: LogLevel; at?: 'warn' | 'ok' | 'error'; color?: boolean; detail?: LogDetail },
): string {
  let text = '';
  const stream = { write: (chunk: string) => (text += chunk) };
  const sink =
    kind === 'json' ? jsonSink(stream) : prettySink(stream, { color: options.color ?? false });
  using _output = useLogOutput({
    level: options.level ?? 'debug',
    clock: new SimulatedClock(1_700_000_000_123),
    defaultRole: 'worker',
    sinks: [sink],
  });
  log('pool')[options.at ?? 'ok']('call.done', options.detail);
  return text;
}

const parsed = (detail: LogDetail): LogLine => JSON.parse(written('json', { detail }));

describe('JSONL', () => {
  it('has the fixed keys, in their order, with null for what is unknown [H2]', () => {
    const line = parsed({});
    expect(Object.keys(line)).toEqual([
      'ts',
      'level',
      'name',
      'subsys',
      'guild_id',
      'user_id',
      'msg_id',
      'event',
      'detail',
    ]);
    expect(line).toEqual({
      ts: '2023-11-14T22:13:20.123Z',
      level: 'ok',
      name: 'worker',
      subsys: 'pool',
      guild_id: null,
      user_id: null,
      msg_id: null,
      event: 'call.done',
      detail: { corr_id: null },
    });
  });

  it('puts ids, duration and phases where readers look for them [H2]', () => {
    const line = parsed({
      guildId: '1',
      userId: '2',
      messageId: '3',
      totalDurationMs: 812.5,
      phases: { receive: 1, llm: 800 },
      usedModel: 'm',
    });
    expect(line).toMatchObject({ guild_id: '1', user_id: '2', msg_id: '3' });
    expect(line.detail).toEqual({
      corr_id: null,
      total_duration_ms: 812.5,
      phases: { receive: 1, llm: 800 },
      used_model: 'm',
    });
  });

  it('keeps the schema for whatever is logged, one line each [H2]', async () => {
    await using captured = captureTelemetry();
    const detail = fc.dictionary(
      fc
        .string()
        .filter((name) => !/^(guildId|userId|messageId|totalDurationMs|phases)$/.test(name)),
      fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }),
    );
    await fc.assert(
      fc.asyncProperty(detail, async (any) => {
        await withSpan('send', {}, () => log('pool').warn('odd', any));
        const line = captured.lines.at(-1);
        const text = JSON.stringify(line);
        expect(text).not.toContain('\n');
        expect(logLineSchema.parse(JSON.parse(text)).detail.corr_id).toMatch(/^[0-9a-f]{8}$/);
      }),
    );
  });

  it('writes errors with code and cause, and survives cycles [H2]', () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = cycle;
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), {
      code: 'ECONNREFUSED',
    });
    const { detail } = parsed({ error, cycle });
    expect(detail.error).toMatchObject({
      name: 'Error',
      message: 'outer',
      code: 'ECONNREFUSED',
      stack: expect.stringContaining('log.pure.test.ts'),
      cause: { name: 'TypeError', message: 'inner' },
    });
    expect(JSON.stringify(detail.cycle)).toBe('{"self":{"self":{"self":{"self":"…"}}}}');
  });

  it('masks by name and by shape, at any depth [H2]', () => {
    const { detail } = parsed({
      request: { headers: { Authorization: 'opaque' }, url: 'http://x/?key=abcdefgh12345' },
      promptTokens: 7,
    });
    expect(detail).toEqual({
      corr_id: null,
      request: { headers: { _authorization: '[redacted]' }, url: 'http://x/?key=[redacted]' },
      prompt_tokens: 7,
    });
  });

  it('bounds what one line can hold [H2]', () => {
    const { detail } = parsed({ text: 'x'.repeat(5_000), list: Array(60).fill(1) });
    expect(detail.text).toBe(`${'x'.repeat(4_000)}…(+1000)`);
    expect(detail.list).toHaveLength(51);
    expect((detail.list as unknown[]).at(-1)).toBe('…(+10)');
  });

  it('leaves out what is less grave than the level [H2]', () => {
    expect(written('json', { level: 'warn', at: 'ok' })).toBe('');
    expect(written('json', { level: 'warn', at: 'error' })).not.toBe('');
    expect(written('json', { level: 'info', at: 'ok' })).not.toBe('');
  });
});

describe('the pretty console', () => {
  const line = (options: Parameters<typeof written>[1]) => written('pretty', options).trimEnd();

  it.each([
    ['ok', '✔'],
    ['warn', '⚠'],
    ['error', '✖'],
  ] as const)('shows %s as %s, with local time and milliseconds [H2]', (at, sign) => {
    expect(line({ at })).toMatch(
      new RegExp(`^\\d\\d:\\d\\d:\\d\\d\\.123 ${sign} worker {3}pool {7}call\\.done$`),
    );
  });

  it('aligns, names, quotes and truncates its fields [H2]', () => {
    const text = line({ detail: { guildId: '9', answer: 'a b', long: 'y'.repeat(200), ms: 12 } });
    expect(text).toContain(
      `call.done                  guild=9 answer="a b" long=${'y'.repeat(120)}…(+80) ms=12`,
    );
  });

  it('gives the chain of an error in a line, and its stack when it is grave [H2]', () => {
    const error = new Error('outer', { cause: new Error('inner') });
    expect(line({ at: 'warn', detail: { error } })).toMatch(/error="Error: outer ← Error: inner"$/);
    expect(line({ at: 'error', detail: { error } })).toMatch(/inner"\n {4}at .*log\.pure\.test/);
  });

  it('shows an error long enough to read its remedy [H2]', () => {
    const error = new Error(`${'y'.repeat(300)}; set NATS_URL`);
    expect(line({ at: 'warn', detail: { error } })).toMatch(/; set NATS_URL"$/);
    const endless = new Error('y'.repeat(5_000));
    expect(line({ at: 'warn', detail: { error: endless } }).length).toBeLessThan(600);
  });

  it('lets no text forge a line or move the cursor [H2]', () => {
    const text = line({ detail: { name: 'x\n12:00:00.000 ✔ fake', other: '\u001b[2J\u009b' } });
    expect(text).toContain(String.raw`x\n12:00:00.000`);
    expect(text).not.toMatch(/\p{Cc}/u);
  });

  it('colours only when told to [H2]', () => {
    expect(line({ color: true })).toContain('\u001b[32m✔');
    expect(line({ color: false })).not.toContain('\u001b');
  });
});
