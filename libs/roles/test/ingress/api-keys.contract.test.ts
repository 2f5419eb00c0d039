import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@starling/config';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { callerOf, maxApiKeys, parseApiKeys } from '../../src/ingress/api-keys.ts';
import { readApiKeys } from '../../src/ingress/index.ts';

const sha256 = (key: string) => createHash('sha256').update(key).digest('hex');
const entry = (name: string, key = `${name}-key`) => `${name}:${sha256(key)}`;

function keysOf(text: string) {
  const parsed = parseApiKeys(text);
  if ('problem' in parsed) throw new Error(parsed.problem);
  return parsed.keys;
}

describe('API keys', () => {
  it('are read from entries by commas and lines, with comments', () => {
    const text = `# who may ask\n${entry('ann')}, ${entry('bob')}\n\n${entry('carl.2')} # leaves soon\n`;
    expect(keysOf(text).map(({ name }) => name)).toEqual(['ann', 'bob', 'carl.2']);
    expect(keysOf('')).toEqual([]);
  });

  it('let in who has one, by its name', () => {
    const keys = keysOf(`${entry('ann')},${entry('bob')}`);
    expect(callerOf('Bearer bob-key', keys)).toBe('bob');
    expect(callerOf('bearer ann-key', keys)).toBe('ann');
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Basic YW5uLWtleQ==',
    'Bearer ann-key x',
    'ann-key',
    `Bearer ${sha256('ann-key')}`,
    `Bearer ${'x'.repeat(513)}`,
  ])('let in nobody with %j', (authorization) => {
    expect(callerOf(authorization, keysOf(entry('ann')))).toBeUndefined();
  });

  it.each([
    ['a key in clear', 'ann:ann-key', /entry 1 is not name:sha256/],
    ['a short hash', `${entry('ann')},bob:abc`, /entry 2/],
    ['a name with a space', entry('ann b'), /entry 1/],
    ['a name twice', `${entry('ann')},${entry('ann', 'other')}`, /name ann stands there twice/],
  ])('are refused with %s, and no entry is shown', (_what, text, problem) => {
    const parsed = parseApiKeys(text);
    expect(parsed).toMatchObject({ problem: expect.stringMatching(problem) });
    expect(JSON.stringify(parsed)).not.toContain('ann-key');
  });

  it('are bounded in number', () => {
    const many = Array.from({ length: maxApiKeys + 1 }, (_, index) => entry(`k${index}`));
    expect(keysOf(many.slice(1).join('\n'))).toHaveLength(maxApiKeys);
    expect(parseApiKeys(many.join('\n'))).toMatchObject({ problem: /257 keys; at most 256/ });
  });
});

describe('the configuration of API keys', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'starling-keys-'));
  });

  afterEach(() => rm(folder, { recursive: true }));

  const file = async (text: string) => {
    const path = join(folder, 'keys');
    await writeFile(path, text);
    return path;
  };

  it('may stand in the variable, in a file, or in both', async () => {
    const apiKeysFile = await file(`${entry('bob')}\n`);
    const names = async (config: { apiKeys?: string; apiKeysFile?: string }) =>
      (await readApiKeys({ apiKeys: undefined, apiKeysFile: undefined, ...config })).map(
        ({ name }) => name,
      );
    expect(await names({})).toEqual([]);
    expect(await names({ apiKeys: entry('ann') })).toEqual(['ann']);
    expect(await names({ apiKeysFile })).toEqual(['bob']);
    expect(await names({ apiKeys: entry('ann'), apiKeysFile })).toEqual(['ann', 'bob']);
  });

  it('takes what the documented command makes', async () => {
    const { spawnSync } = await import('node:child_process');
    const command = 'key=abc123; printf %s "$key" | sha256sum';
    const { stdout } = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
    const keys = keysOf(`me:${stdout.split(' ', 1)[0]}`);
    expect(callerOf('Bearer abc123', keys)).toBe('me');
  });

  it.each([
    [
      'a wrong entry in the variable',
      async () => ({ apiKeys: 'ann:ann-key' }),
      'STARLING_API_KEYS',
    ],
    ['a file that is not there', async () => ({ apiKeysFile: join(folder, 'none') }), 'ENOENT'],
    ['a wrong entry in the file', async () => ({ apiKeysFile: await file('nonsense') }), 'entry 1'],
    ['a file without entries', async () => ({ apiKeysFile: await file('# none\n') }), 'no entry'],
    [
      'a name in both',
      async () => ({ apiKeys: entry('ann'), apiKeysFile: await file(entry('ann', 'other')) }),
      'twice',
    ],
  ])('stops the start with %s, naming the setting', async (_what, config, text) => {
    const asked = readApiKeys({ apiKeys: undefined, apiKeysFile: undefined, ...(await config()) });
    const error = await asked.catch((problem: unknown) => problem);
    expect(error).toBeInstanceOf(ConfigError);
    expect(String(error)).toContain('STARLING_API_KEYS');
    expect(String(error)).toContain(text);
    expect(String(error)).not.toContain('ann-key');
  });
});
