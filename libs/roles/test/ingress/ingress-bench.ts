import { createHash } from 'node:crypto';
import type { Buckets } from '@starling/buckets';
import { type Bus, createMemoryBus } from '@starling/bus';
import { systemClock as clock, seededRandom } from '@starling/clock';
import { ingressSection, parseConfig } from '@starling/config';
import { ingressId } from '@starling/contracts';
import { type CapturedTelemetry, captureTelemetry } from '@starling/telemetry/testing';
import { vi } from 'vitest';
import {
  type Ingress,
  type IngressConfig,
  parseApiKeys,
  startIngress,
} from '../../src/ingress/index.ts';
import { FakeHome, type FakeHomeOptions } from '../../src/ingress/testing.ts';

/** A key that only tests know. */
export const testKey = 'a-key-for-tests';

/** The entry of the configuration for {@link testKey}. */
const testEntry = `tests:${createHash('sha256').update(testKey).digest('hex')}`;

/** An ingress on a real socket, on the memory bus unless one is given, with homes by script. */
export class IngressBench implements AsyncDisposable {
  readonly ingress: Ingress;
  readonly bus: Bus;
  readonly telemetry: CapturedTelemetry;
  readonly #stack: AsyncDisposableStack;

  private constructor(parts: {
    readonly ingress: Ingress;
    readonly bus: Bus;
    readonly telemetry: CapturedTelemetry;
    readonly stack: AsyncDisposableStack;
  }) {
    this.ingress = parts.ingress;
    this.bus = parts.bus;
    this.telemetry = parts.telemetry;
    this.#stack = parts.stack;
  }

  static async start(
    options: {
      readonly config?: Partial<IngressConfig>;
      readonly keys?: string;
      readonly bus?: Bus;
      readonly buckets?: Buckets;
    } = {},
  ): Promise<IngressBench> {
    await using stack = new AsyncDisposableStack();
    const telemetry = stack.use(captureTelemetry());
    const random = seededRandom(1);
    const bus = options.bus ?? stack.use(createMemoryBus({ clock, random }));
    const parsed = parseApiKeys(options.keys ?? testEntry);
    if ('problem' in parsed) throw new Error(parsed.problem);
    const ingress = stack.use(
      await startIngress({
        ...{ bus, clock, random, keys: parsed.keys, buckets: options.buckets },
        ingressId: ingressId.parse('ingress-t'),
        config: { ...parseConfig(ingressSection, {}), port: 0, ...options.config },
      }),
    );
    return new IngressBench({ ingress, bus, telemetry, stack: stack.move() });
  }

  /** A home, once the ingress hears it. */
  async home(options: FakeHomeOptions = {}): Promise<FakeHome> {
    const before = this.ingress.snapshot().balancers;
    const home = this.#stack.use(await FakeHome.start({ bus: this.bus, clock }, options));
    await until(() => this.ingress.snapshot().balancers > before);
    return home;
  }

  get url(): string {
    return `http://127.0.0.1:${this.ingress.port}`;
  }

  /** Asks with the test key; a body that is no string is sent as JSON. */
  async fetch(
    path: string,
    options: {
      readonly body?: unknown;
      readonly headers?: Readonly<Record<string, string>>;
      readonly method?: string;
      readonly signal?: AbortSignal;
    } = {},
  ): Promise<Response> {
    const { body, headers, signal } = options;
    return await fetch(`${this.url}${path}`, {
      method: options.method ?? (body === undefined ? 'GET' : 'POST'),
      headers: {
        authorization: `Bearer ${testKey}`,
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      ...(signal && { signal }),
    });
  }

  /** Asks for a completion. */
  chat(
    changes: object = {},
    options: { readonly headers?: Record<string, string>; readonly signal?: AbortSignal } = {},
  ): Promise<Response> {
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...changes };
    return this.fetch('/v1/chat/completions', { body, ...options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Waits for a condition. */
export async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (!condition()) throw new Error('it did not come to that');
    },
    { timeout: 20_000, interval: 2 },
  );
}

/** The events of a stream: JSON, or `[DONE]`. */
export function eventsOf(text: string): unknown[] {
  return text
    .split('\n\n')
    .filter((event) => event !== '')
    .map((event) => {
      const data = event.replace(/^data: /, '');
      return data === '[DONE]' ? data : JSON.parse(data);
    });
}
