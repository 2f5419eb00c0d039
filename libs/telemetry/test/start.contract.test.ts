import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@starling/clock';
import { parseConfig, telemetrySection } from '@starling/config';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { correlationIdOf, log, startTelemetry, telemetryFor, withSpan } from '../src/index.ts';
import { logLineSchema, startTraceCollector } from '../src/testing.ts';

let directory: string;
let stderr: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starling-telemetry-'));
  stderr = '';
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => {
    stderr += text;
    return true;
  });
});
afterEach(async () => {
  vi.restoreAllMocks();
  await rm(directory, { recursive: true });
});

const start = (environment: Record<string, string>) =>
  startTelemetry({
    service: 'starling',
    instanceId: 'starling-0',
    clock: systemClock,
    config: parseConfig(telemetrySection, environment),
    secrets: ['correct-horse-battery'],
  });

describe('startTelemetry', () => {
  it('sends one trace of all roles to an OTLP collector [A1]', async () => {
    await using collector = await startTraceCollector();
    const id = await (async () => {
      await using _telemetry = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint });
      return await telemetryFor('bot').withSpan('receive', {}, async () => {
        await telemetryFor('balancer').withSpan('dispatch', {}, () =>
          telemetryFor('worker').withSpan('llm', {}, () => {}),
        );
        return correlationIdOf();
      });
    })();
    expect(collector.spans.map(({ name }) => name).sort()).toEqual(['dispatch', 'llm', 'receive']);
    expect(collector.rolesOf(String(id))).toEqual(['balancer', 'bot', 'worker']);
    expect(collector.spans.every(({ service }) => service === 'starling')).toBe(true);
    expect(collector.spans.every((span) => span.attributes['starling.correlation_id'] === id)).toBe(
      true,
    );
  });

  it('goes on, and says so, when the collector is away', async () => {
    const collector = await startTraceCollector();
    await collector[Symbol.asyncDispose]();
    {
      await using _telemetry = await start({
        OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint,
        STARLING_LOG_FORMAT: 'json',
      });
      await withSpan('receive', {}, () => {});
    }
    expect(stderr).toContain('"subsys":"telemetry"');
  });

  it('has correlation ids without any collector, and tries no connection [A1]', async () => {
    const connected = vi.fn();
    subscribe('net.client.socket', connected);
    await using _telemetry = await start({});
    expect(await withSpan('receive', {}, () => correlationIdOf())).toMatch(/^[0-9a-f]{8}$/);
    unsubscribe('net.client.socket', connected);
    expect(connected).not.toHaveBeenCalled();
  });

  it('writes JSONL to standard error and to a file, without secrets [H2]', async () => {
    const path = join(directory, 'bot.jsonl');
    {
      await using _telemetry = await start({
        STARLING_LOG_FILE: path,
        STARLING_LOG_FORMAT: 'json',
      });
      log('pool').ok('call.done', { note: 'it was correct-horse-battery' });
      log('pool').debug('not.at.this.level');
    }
    const lines = (await readFile(path, 'utf8')).trimEnd().split('\n');
    expect(lines).toHaveLength(1);
    expect(logLineSchema.parse(JSON.parse(String(lines[0]))).detail).toMatchObject({
      note: 'it was [redacted]',
    });
    expect(stderr).toBe(`${lines[0]}\n`);
  });

  it('goes on without a log file that cannot be written [H2]', async () => {
    const path = join(directory, 'missing', 'bot.jsonl');
    {
      await using _telemetry = await start({
        STARLING_LOG_FILE: path,
        STARLING_LOG_FORMAT: 'json',
      });
      await vi.waitFor(() => expect(stderr).toContain('log_file.broken'));
      log('pool').info('still.here');
    }
    expect(stderr).toContain('still.here');
  });

  it('starts once a process, and again after its end', async () => {
    {
      await using _telemetry = await start({});
      await expect(start({})).rejects.toThrow('already started');
    }
    await using _again = await start({});
    expect(await withSpan('receive', {}, () => correlationIdOf())).toBeDefined();
    expect(stderr).toBe('');
  });
});
