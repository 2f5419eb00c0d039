import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { redact, registerSecret } from '../src/index.ts';
import { isSecretName } from '../src/redact.ts';

/** Random words of a secret's shape: nothing here is a real one, or looks like one in the file. */
const word = (length: number) =>
  fc.string({
    minLength: length,
    maxLength: length,
    unit: fc.constantFrom(...'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'),
  });

describe('redact', () => {
  it.each([
    ['an authorization header', (secret: string) => `Authorization: Bot ${secret}`],
    ['a bearer', (secret: string) => `Bearer ${secret}`],
    ['a query', (secret: string) => `https://api.test/v1?api_key=${secret}&n=1`],
    ['JSON', (secret: string) => `{"api_key":"${secret}","model":"m"}`],
    ['a variable', (secret: string) => `OPENROUTER_API_KEY=${secret}`],
    ['a provider key', (secret: string) => `wrong key sk-${secret}`],
    ['a webhook path', (secret: string) => `PATCH /webhooks/112233445566778899/${secret}/messages`],
    ['a callback path', (secret: string) => `/interactions/112233445566778899/${secret}/callback`],
    ['an address', (secret: string) => `nats://starling:${secret}@10.0.0.1:4222`],
  ])('masks what stands in %s [H2]', (_where, place) => {
    fc.assert(
      fc.property(word(32), (secret) => {
        expect(redact(place(secret))).not.toContain(secret);
      }),
      { numRuns: 30 },
    );
  });

  it('masks a bot token by its shape [H2]', () => {
    fc.assert(
      fc.property(word(24), word(6), word(38), (id, stamp, mac) => {
        const botToken = [id, stamp, mac].join('.');
        expect(redact(`login with ${botToken} failed`)).toBe('login with [redacted] failed');
      }),
      { numRuns: 30 },
    );
  });

  it('masks a registered value in any text, also encoded [H2]', () => {
    const secret = 'päss wörd/42+x';
    registerSecret(secret);
    const encoded = `${encodeURIComponent(secret)} ${Buffer.from(secret).toString('base64')}`;
    expect(redact(`a ${secret} b ${encoded}`)).toBe('a [redacted] b [redacted] [redacted]');
  });

  it.each([
    'Bot is ready',
    'Bot starling-bot serves 3 guilds',
    'promptTokens=120 completionTokens=40',
    'the token bucket has 5 permits',
    'http://127.0.0.1:4222/v1/chat',
    'jobs.interactive.112233445566778899',
    '@opentelemetry/sdk-node/build.12.34',
  ])('leaves ordinary text alone: %s', (text) => {
    expect(redact(text)).toBe(text);
  });

  it('knows a name that is a secret among more names than it remembers', () => {
    const names = Array.from({ length: 1_200 }, (_, at) => [`name_${at}`, 'api_key', `x${at}`]);
    for (const name of names.flat()) expect(isSecretName(name)).toBe(name === 'api_key');
    expect(isSecretName('cookie')).toBe(true);
  });

  it('refuses more secrets than its bound', () => {
    const registerMany = () => {
      for (let n = 0; n < 100; n += 1) registerSecret(`secret-number-${n}`);
    };
    expect(registerMany).toThrow(/more than 64/);
  });
});
