import { ConfigError } from '@starling/config';
import { describe, expect, it } from 'vitest';
import { keyVariablesIn, parseProviders } from '../src/file/parse-providers.ts';

const secret = 'sk-parse-providers-0123456789';
const sources = {
  environment: { NEAR_KEY: secret, SPACED: 'two words' },
  readFile(path: string) {
    if (path === 'far.key') return `${secret}-far\n`;
    throw Object.assign(new Error(secret), { code: 'ENOENT' });
  },
};

const near = {
  name: 'near',
  dialect: 'openai',
  baseUrl: 'https://near.example/api/v1/',
  keys: [{ env: 'NEAR_KEY' }],
};
const far = { name: 'far', dialect: 'ollama', baseUrl: 'http://127.0.0.1:11434' };
const chat = { name: 'chat', ladder: [{ provider: 'near', model: 'vendor/big' }] };
const whole = { providers: [near, far], models: [chat] };

const parse = (file: unknown) =>
  parseProviders(typeof file === 'string' ? file : JSON.stringify(file), 'p.json', sources);

describe('a file of providers', () => {
  it('says providers, their keys by name, and the ladder of each model [C6]', () => {
    const price = { promptPerMillion: 0.1, completionPerMillion: 0.4 };
    const config = parse({
      providers: [near, { ...far, keys: [{ file: 'far.key' }] }],
      models: [
        { name: 'quick', ladder: [{ provider: 'far', model: 'llama3.2' }] },
        {
          name: 'chat',
          ladder: [
            { ...chat.ladder[0], price },
            { provider: 'far', model: 'b' },
          ],
        },
      ],
      defaultModel: 'chat',
    });
    expect(config).toEqual({
      providers: [
        {
          ...{ name: 'near', dialect: 'openai', baseUrl: 'https://near.example/api/v1' },
          keys: [{ name: 'NEAR_KEY', value: secret }],
        },
        { ...far, keys: [{ name: 'far.key', value: `${secret}-far` }] },
      ],
      models: [
        { name: 'quick', ladder: [{ provider: 'far', model: 'llama3.2' }] },
        {
          name: 'chat',
          ladder: [
            { provider: 'near', model: 'vendor/big', price },
            { provider: 'far', model: 'b' },
          ],
        },
      ],
      defaultModel: 'chat',
      takesAnyModel: false,
    });
    expect(parse(whole).defaultModel).toBe('chat');
  });

  it.each<[string, unknown, string]>([
    ['no JSON', `{"key": "${secret}",`, 'p.json="(hidden)": is not JSON'],
    ['no object', [], 'p.json="{…}": write an object'],
    ['nothing', {}, 'p.json providers="": list the providers'],
    ['no model', { ...whole, models: [] }, 'p.json models="{…}": list at least one model'],
    [
      'an unknown field',
      { ...whole, fallback: true },
      'p.json="{…}": take out fallback: it has no meaning here',
    ],
    [
      'an unknown dialect',
      { ...whole, providers: [{ ...near, dialect: 'grpc' }] },
      'p.json providers[0].dialect="grpc": set it to one of',
    ],
    [
      'no address',
      { ...whole, providers: [{ ...near, baseUrl: 'near.example' }] },
      'p.json providers[0].baseUrl="(hidden)": give it an address',
    ],
    [
      'a password in the address',
      { ...whole, providers: [{ ...near, baseUrl: `https://u:${secret}@near.example` }] },
      'p.json providers[0].baseUrl="(hidden)": leave user and password out',
    ],
    [
      'a key inline',
      { ...whole, providers: [{ ...near, keys: [secret] }] },
      'p.json providers[0].keys[0]="(hidden)": say where the key stands',
    ],
    [
      'a key inline, dressed up',
      { ...whole, providers: [{ ...near, keys: [{ key: secret }] }] },
      'p.json providers[0].keys[0]="(hidden)": say where the key stands',
    ],
    [
      'a variable that is not set',
      { ...whole, providers: [{ ...near, keys: [{ env: 'OTHER_KEY' }] }] },
      'p.json providers[0].keys[0]="OTHER_KEY": set this variable',
    ],
    [
      'a variable that holds no key',
      { ...whole, providers: [{ ...near, keys: [{ env: 'SPACED' }] }] },
      'p.json providers[0].keys[0]="SPACED": holds no key',
    ],
    [
      "a key's file that is not there",
      { ...whole, providers: [{ ...near, keys: [{ file: 'gone.key' }] }] },
      'p.json providers[0].keys[0]="gone.key": cannot be read (ENOENT)',
    ],
    [
      'a provider twice',
      { ...whole, providers: [near, far, near] },
      'p.json providers[2].name="near": stands there twice',
    ],
    [
      'a rung of no provider',
      { ...whole, models: [{ name: 'chat', ladder: [{ provider: 'nowhere', model: 'x' }] }] },
      'p.json models[0].ladder[0].provider="nowhere": set it to one of near, far',
    ],
    [
      'a price below zero',
      {
        ...whole,
        models: [
          {
            name: 'chat',
            ladder: [
              { ...chat.ladder[0], price: { promptPerMillion: -1, completionPerMillion: 0 } },
            ],
          },
        ],
      },
      'p.json models[0].ladder[0].price.promptPerMillion="-1": a price is 0 or more',
    ],
    [
      'a default that is no model',
      { ...whole, defaultModel: 'big' },
      'p.json defaultModel="big": set it to one of chat',
    ],
    [
      'a choice of no model',
      { ...whole, choice: { simple: 'chat', complex: 'big' } },
      'p.json choice.complex="big": set it to one of chat',
    ],
  ])('with %s is refused with field, value and remedy, and no key', (_, file, expected) => {
    let error: unknown;
    try {
      parse(file);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).message).toContain(expected);
    expect(String((error as Error).stack)).not.toContain(secret);
  });

  it('tells which variables hold keys, so that only workers are given them', () => {
    expect(keyVariablesIn(JSON.stringify(whole))).toEqual(['NEAR_KEY']);
    expect(keyVariablesIn('{')).toEqual([]);
  });
});
