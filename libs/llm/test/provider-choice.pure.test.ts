import { SimulatedClock, seededRandom } from '@starling/clock';
import { parseConfig, providerSection } from '@starling/config';
import { describe, expect, it } from 'vitest';
import { providerChoice, providerFrom } from '../src/index.ts';

const choose = (environment: Record<string, string>) =>
  providerChoice(parseConfig(providerSection, environment));

describe('providerChoice', () => {
  it.each([
    [
      { OPENROUTER_API_KEY: 'k', OPENAI_BASE_URL: 'http://h/v1' },
      { name: 'openrouter', baseUrl: 'https://openrouter.ai/api/v1', model: 'openrouter/auto' },
    ],
    [
      { OPENAI_BASE_URL: 'http://h:8000/v1/', STARLING_MODEL: 'qwen', OLLAMA_HOST: 'h' },
      { name: 'openai', baseUrl: 'http://h:8000/v1', model: 'qwen' },
    ],
    [{ OLLAMA_HOST: 'box' }, { name: 'ollama', baseUrl: 'http://box:11434', model: 'llama3.2' }],
    [{ OLLAMA_HOST: '0.0.0.0:9' }, { baseUrl: 'http://127.0.0.1:9' }],
    [{ OLLAMA_HOST: 'https://box/' }, { baseUrl: 'https://box' }],
    [{ OLLAMA_HOST: '[::]:11434' }, { baseUrl: 'http://[::1]:11434' }],
  ])('%j means %j [C1]', (environment, choice) => {
    expect(choose(environment)).toMatchObject(choice);
  });

  it('takes a lone OpenAI key for no choice: it may have been left in the environment', () => {
    expect(choose({ OPENAI_API_KEY: 'k' })).toBeUndefined();
    expect(() =>
      providerFrom(parseConfig(providerSection, {}), {
        clock: new SimulatedClock(),
        random: seededRandom(1),
      }),
    ).toThrow('OPENROUTER_API_KEY');
  });

  it('refuses a host that is none', () => {
    expect(() => choose({ OLLAMA_HOST: 'a host' })).toThrow('OLLAMA_HOST');
  });
});
