import { spawnApp } from '@starling/harness';
import { request } from 'undici';
import { z } from 'zod';
import type { Target } from './target.ts';

const requestReading = z.looseObject({
  promptHash: z.string().optional(),
  keyLabel: z.string(),
  startedAtMs: z.number(),
  endMs: z.number().optional(),
  abortSeenMs: z.number().optional(),
  ending: z.string(),
  promptTokens: z.number(),
  completionTokens: z.number(),
});

/** One request as the provider saw it; times are milliseconds after its start. */
export type ProviderRequest = z.infer<typeof requestReading>;

const recordReading = z.looseObject({
  concurrency: z.looseObject({
    now: z.number(),
    peak: z.number(),
    byKey: z.record(z.string(), z.looseObject({ now: z.number(), peak: z.number() })),
  }),
  forgotten: z.number(),
  requests: z.array(requestReading),
});

/** What the provider saw: the judge of every promise. */
export type ProviderRecord = z.infer<typeof recordReading>;

/** Requests that the emulator keeps one by one: more than any run here makes between two readings. */
const recordRequestsMax = 30_000;

/** The emulated provider's process; as a target it is the baseline without anything before it. */
export interface Provider extends Target {
  /** `http://127.0.0.1:port`, without a path. */
  readonly origin: string;
  readonly pid: number;
  /** Replaces the models; every other part of the profile takes its default. */
  setModels(models: readonly object[]): Promise<void>;
  /** @param requests how many of the latest are told one by one */
  record(requests: number): Promise<ProviderRecord>;
  resetRecord(): Promise<void>;
}

/** Starts the provider emulator as a process of its own. */
export async function startProvider(): Promise<Provider> {
  const app = await spawnApp({
    entry: new URL('../../../llm-emulator/src/main.ts', import.meta.url),
    env: {
      STARLING_LLM_EMULATOR_RECORD_MAX: String(recordRequestsMax),
      STARLING_LOG_LEVEL: 'warn',
    },
  });
  const origin = app.readiness.url;
  if (typeof origin !== 'string') throw new Error('the provider emulator told no address');
  const control = async (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: object) => {
    const answer = await request(`${origin}/control/${path}`, {
      method,
      ...(body && { body: JSON.stringify(body) }),
    });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`the provider emulator: ${text}`);
    return JSON.parse(text) as unknown;
  };
  return {
    name: 'direct',
    origin,
    url: `${origin}/v1/chat/completions`,
    headers: {},
    bearers: ['direct'],
    pid: app.pid,
    processes: () => [],
    async setModels(models) {
      await control('PUT', 'profile', { models });
    },
    record: async (requests) =>
      recordReading.parse(await control('GET', `record?requests=${requests}`)),
    async resetRecord() {
      await control('DELETE', 'record');
    },
    [Symbol.asyncDispose]: () => app[Symbol.asyncDispose](),
  };
}
