import { readdir, readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { describe, expect, it } from 'vitest';
import { contracts, goldenPath, type Json, type Published, publish } from './published.ts';
import { changeBetween } from './schema-change.ts';

const howToAccept = 'accept it with: npm run schemas';

describe('published schemas', () => {
  it.each(contracts)('$name did not change unseen', async (contract) => {
    const text = await readFile(goldenPath(contract), 'utf8').catch(() => undefined);
    if (text === undefined) expect.fail(`the contract is new; ${howToAccept}`);
    const before: Published = JSON.parse(text);
    const advice = {
      none: '',
      additive: `only optional fields came, which every version reads; ${howToAccept}`,
      breaking: `older processes would misread it: raise its version, and ${howToAccept}`,
    };
    expect(publish(contract), advice[changeBetween(before, publish(contract))]).toEqual(before);
  });

  it('has no file of a contract that is gone', async () => {
    const files = await readdir(`${import.meta.dirname}/golden`);
    expect(files.sort()).toEqual(
      contracts.map((contract) => basename(goldenPath(contract))).sort(),
    );
  });

  it('has one subject, version and bound for each name', () => {
    expect(new Set(contracts.map(({ name }) => name)).size).toBe(contracts.length);
    for (const { version, maxBytes } of contracts) {
      expect(version).toBeGreaterThanOrEqual(1);
      // NATS takes 1 MiB a message, headers included (docs.nats.io, max_payload).
      expect(maxBytes).toBeLessThan(1024 * 1024);
    }
  });
});

describe('changeBetween', () => {
  const base: Published = {
    name: 'thing',
    subject: 'things',
    version: 1,
    delivery: 'request',
    maxBytes: 100,
    payload: {
      type: 'object',
      properties: {
        id: { type: 'string' },
        list: {
          type: 'array',
          items: { type: 'object', properties: { a: { type: 'number' } }, required: ['a'] },
        },
        kind: { type: 'string', enum: ['x', 'y'] },
      },
      required: ['id', 'list'],
    },
  };
  const withPayload = (change: (text: string) => string): Published => ({
    ...base,
    payload: JSON.parse(change(JSON.stringify(base.payload))) as Json,
  });

  it.each([
    ['nothing', (text: string) => text, 'none'],
    [
      'an optional field',
      (text: string) => text.replace('"id":', '"n":{"type":"number"},"id":'),
      'additive',
    ],
    [
      'one deep inside',
      (text: string) => text.replace('"a":', '"b":{"type":"number"},"a":'),
      'additive',
    ],
    ['another order', (text: string) => text.replace('["id","list"]', '["list","id"]'), 'additive'],
    ['a field less', (text: string) => text.replace('"id":{"type":"string"},', ''), 'breaking'],
    ['another type', (text: string) => text.replace('"string"}', '"number"}'), 'breaking'],
    ['a field now required', (text: string) => text.replace('["id",', '["id","kind",'), 'breaking'],
    [
      'a field no longer required',
      (text: string) => text.replace('["id","list"]', '["id"]'),
      'breaking',
    ],
    ['a further value', (text: string) => text.replace('["x","y"]', '["x","y","z"]'), 'breaking'],
    [
      'a tighter bound',
      (text: string) => text.replace('"number"', '"number","minimum":1'),
      'breaking',
    ],
  ] as const)('judges %s', (_what, change, expected) => {
    expect(changeBetween(base, withPayload(change))).toBe(expected);
  });

  it.each([{ subject: 'other' }, { maxBytes: 200 }, { delivery: 'stored' }])(
    'judges %o as breaking',
    (change) => {
      expect(changeBetween(base, { ...base, ...change })).toBe('breaking');
    },
  );
});
