import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError } from '@starling/config';
import { describe, expect, it } from 'vitest';
import { childEnvironment } from '../src/fleet/child-environment.ts';
import { planFleet } from '../src/fleet/plan.ts';

const botToken = 'x'.repeat(30);

describe('the plan of a start', () => {
  it('simulates Discord and the provider when nothing is configured [I1]', () => {
    const plan = planFleet({});
    expect(plan.discord).toEqual({ kind: 'simulated' });
    expect(plan.provider).toEqual({ kind: 'simulated' });
    expect(plan).toMatchObject({ balancers: 2, workers: 2 });
  });

  it('is in the real Discord with a token, and never shows it', () => {
    const plan = planFleet({ DISCORD_TOKEN: botToken });
    expect(plan.discord.kind).toBe('real');
    expect(JSON.stringify(plan)).not.toContain(botToken);
  });

  it.each([
    [{ OPENAI_BASE_URL: 'http://127.0.0.1:8000/v1' }, /127\.0\.0\.1:8000/],
    [{ OPENROUTER_API_KEY: 'k'.repeat(20) }, /openrouter/],
    [{ OLLAMA_HOST: '127.0.0.1' }, /11434/],
    [{ STARLING_PROVIDERS_FILE: 'providers.json' }, /providers\.json/],
  ])('takes the provider of %j', (environment, expected) => {
    const { provider } = planFleet(environment);
    expect(provider.kind === 'real' && provider.what).toMatch(expected);
  });

  it('takes seven ports from one base', () => {
    const ports = Object.values(planFleet({ STARLING_PORT_BASE: '5000' }).ports);
    expect(ports).toEqual([5000, 5001, 5002, 5003, 5004, 5005, 5006]);
  });

  it('names variable, value and remedy of a bad setting', () => {
    expect(() => planFleet({ STARLING_WORKERS: 'many' })).toThrow(ConfigError);
    expect(() => planFleet({ STARLING_WORKERS: 'many' })).toThrow(
      /STARLING_WORKERS.*many.*1 to 32/,
    );
  });
});

describe("a child's environment", () => {
  const environment = {
    PATH: '/bin',
    DISCORD_TOKEN: botToken,
    OPENROUTER_API_KEY: 'k'.repeat(20),
    STARLING_LOG_LEVEL: 'debug',
  };

  it.each([
    ['bot', ['DISCORD_TOKEN', 'PATH', 'STARLING_LOG_LEVEL']],
    ['worker', ['OPENROUTER_API_KEY', 'PATH', 'STARLING_LOG_LEVEL']],
    ['other', ['PATH', 'STARLING_LOG_LEVEL']],
    ['all', ['DISCORD_TOKEN', 'OPENROUTER_API_KEY', 'PATH', 'STARLING_LOG_LEVEL']],
  ] as const)('gives the %s only the secrets that it needs', (role, names) => {
    expect(Object.keys(childEnvironment(environment, role)).sort()).toEqual(names);
  });

  it('gives keys of providers to workers alone, whatever the file of providers calls them', () => {
    const folder = mkdtempSync(join(tmpdir(), 'starling-plan-'));
    const path = join(folder, 'providers.json');
    const place = { name: 'near', dialect: 'openai', baseUrl: 'https://near.example/v1' };
    const ladder = [{ provider: 'near', model: 'm' }];
    const providers = [{ ...place, keys: [{ env: 'NEAR_SECRET' }] }];
    writeFileSync(path, JSON.stringify({ providers, models: [{ name: 'chat', ladder }] }));
    const named = { NEAR_SECRET: 'k', SOME_API_KEY: 'k', STARLING_PROVIDERS_FILE: path };
    expect(childEnvironment(named, 'other')).toEqual({});
    expect(childEnvironment(named, 'worker')).toEqual(named);
    rmSync(folder, { recursive: true });
  });
});
