/** Ladders from a file, over real sockets: live changes, and what becomes of the calls under way. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom, systemClock } from '@starling/clock';
import { ConfigError, parseConfig, providerSection } from '@starling/config';
import { type CapturedTelemetry, captureTelemetry } from '@starling/telemetry/testing';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type OpenedProvider, providerFrom } from '../src/provider-from.ts';
import { collect } from './streams.ts';

const key = 'sk-providers-file-0123456789';
const request = { messages: [{ role: 'user' as const, content: 'Hi' }], maxCompletionTokens: 9 };
const call = () => ({
  signal: new AbortController().signal,
  deadlineAtMs: Number.MAX_SAFE_INTEGER,
});

const event = (chunk: object) => `data: ${JSON.stringify(chunk)}\n\n`;
const finish = event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
const says = (content: string) => event({ choices: [{ index: 0, delta: { content } }] });

describe('providers from a file', () => {
  let folder: string;
  let path: string;
  let stack: AsyncDisposableStack;
  let telemetry: CapturedTelemetry;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'starling-providers-'));
    path = join(folder, 'providers.json');
    stack = new AsyncDisposableStack();
    stack.defer(() => rmSync(folder, { recursive: true }));
    telemetry = stack.use(captureTelemetry());
  });

  afterEach(() => stack.disposeAsync());

  /** A provider that answers with its own name, unless told otherwise. */
  async function serve(name: string, answer?: RequestListener) {
    const seen: (string | undefined)[] = [];
    const server = createServer((incoming, response) => {
      seen.push(incoming.headers.authorization);
      incoming.resume();
      if (answer) return answer(incoming, response);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.end(says(`I am ${name}`) + finish);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    stack.defer(() => {
      server.closeAllConnections();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    const place = { name, dialect: 'openai', baseUrl: `http://127.0.0.1:${port}/v1` };
    return { place, seen };
  }

  const ladderOf = (...providers: string[]) => [
    { name: 'chat', ladder: providers.map((provider) => ({ provider, model: 'm' })) },
  ];

  const write = (file: unknown) =>
    writeFileSync(path, typeof file === 'string' ? file : JSON.stringify(file));

  function open(environment: Record<string, string> = {}): OpenedProvider {
    const settings = { STARLING_PROVIDERS_FILE: path, STARLING_PROVIDERS_EVERY_MS: '50' };
    const config = parseConfig(providerSection, settings);
    const parts = { clock: systemClock, random: seededRandom(1), environment };
    return stack.use(providerFrom(config, parts));
  }

  async function answer(model: OpenedProvider): Promise<string> {
    const parts = await collect(model.stream(request, call()));
    return parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
  }

  it('steps down from a provider that fails, and says which one answered [C6]', async () => {
    const bad = await serve('bad', (_, response) => response.writeHead(500).end());
    const good = await serve('good');
    write({ providers: [bad.place, good.place], models: ladderOf('bad', 'good') });
    const model = open();
    expect(model).toMatchObject({ name: 'bad', defaultModel: 'chat', maxConcurrent: 20 });
    const parts = await collect(model.stream(request, call()));
    expect(parts.at(-1)).toMatchObject({ kind: 'finish', provider: 'good' });
    const models = await model.models?.read(new AbortController().signal);
    expect(models).toEqual({ served: ['chat'], loaded: ['chat'] });
  });

  it('gives a simple question to the one model and a complex one to the other [C7]', async () => {
    const [small, large] = [await serve('small'), await serve('large')];
    const models = ['small', 'large'].map((name) => ({
      ...{ name, ladder: [{ provider: name, model: 'm' }] },
    }));
    const choice = { simple: 'small', complex: 'large' };
    write({ providers: [small.place, large.place], models, choice });
    const model = open();
    expect(await answer(model)).toBe('I am small');
    const messages = [{ role: 'user' as const, content: 'Explain how tides work, step by step' }];
    const parts = await collect(model.stream({ ...request, messages }, call()));
    expect(parts.at(-1)).toMatchObject({ kind: 'finish', provider: 'large' });
  });

  it('follows a change of the file, and ends what was under way where it began [C6]', async () => {
    let end = () => {};
    const old = await serve('old', (_, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(says('I was '));
      end = () => response.end(says('old') + finish);
    });
    const next = await serve('next');
    write({ providers: [old.place], models: ladderOf('old') });
    const model = open();
    const slow = answer(model);
    await vi.waitFor(() => expect(old.seen).toHaveLength(1));
    write({ providers: [next.place], models: ladderOf('next') });
    await vi.waitFor(() => expect(model.name).toBe('next'));
    expect(await answer(model)).toBe('I am next');
    end();
    expect(await slow).toBe('I was old');
    await vi.waitFor(() => expect(model.stats()).toMatchObject({ borrowed: 0, lent: 1 }));
  });

  it('keeps what stood when the file is wrong, and says so once [C6]', async () => {
    const good = await serve('good');
    write({ providers: [good.place], models: ladderOf('good') });
    const model = open();
    write(`{"providers": "${key}`);
    const refusals = () => telemetry.lines.filter(({ event }) => event === 'providers.refused');
    await vi.waitFor(() => expect(refusals()).toHaveLength(1));
    await systemClock.sleep(200);
    expect(refusals()).toHaveLength(1);
    expect(JSON.stringify(refusals())).not.toContain(key);
    expect(await answer(model)).toBe('I am good');
    rmSync(path);
    await vi.waitFor(() => expect(refusals()).toHaveLength(2));
    write({ providers: [{ ...good.place, name: 'renamed' }], models: ladderOf('renamed') });
    await vi.waitFor(() => expect(model.name).toBe('renamed'));
  });

  it('takes a key that is rotated in its file, and lets neither into a log [C6]', async () => {
    const keyed = await serve('keyed');
    const keys = [{ file: 'near.key' }, { env: 'NEAR_KEY' }];
    writeFileSync(join(folder, 'near.key'), `${key}-old\n`);
    write({ providers: [{ ...keyed.place, keys }], models: ladderOf('keyed') });
    const model = open({ NEAR_KEY: `${key}-old` });
    await answer(model);
    expect(keyed.seen).toEqual([`Bearer ${key}-old`]);
    writeFileSync(join(folder, 'near.key'), `${key}-new\n`);
    await vi.waitFor(async () => {
      await answer(model);
      expect(keyed.seen).toContain(`Bearer ${key}-new`);
    });
    expect(JSON.stringify(telemetry.lines)).not.toContain(key);
  });

  it('knows nothing bad of a key that took the place of a refused one [C5]', async () => {
    const keyed = await serve('keyed', ({ headers }, response) => {
      if (headers.authorization === `Bearer ${key}-old`) return response.writeHead(401).end();
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      return response.end(says('I am keyed') + finish);
    });
    const other = await serve('other');
    writeFileSync(join(folder, 'near.key'), `${key}-old`);
    const place = { ...keyed.place, keys: [{ file: 'near.key' }] };
    write({ providers: [place, other.place], models: ladderOf('keyed', 'other') });
    const model = open();
    for (let n = 0; n < 3; n += 1) expect(await answer(model)).toBe('I am other');
    expect(keyed.seen).toHaveLength(1);
    writeFileSync(join(folder, 'near.key'), `${key}-new`);
    await vi.waitFor(async () => expect(await answer(model)).toBe('I am keyed'));
  });

  it('is refused at the start when it is wrong or not there', async () => {
    expect(() => open()).toThrow(ConfigError);
    expect(() => open()).toThrow(/STARLING_PROVIDERS_FILE=.*cannot be read \(ENOENT\)/);
    write({ providers: [], models: [] });
    expect(() => open()).toThrow(/providers=.*list at least one provider/);
  });
});
