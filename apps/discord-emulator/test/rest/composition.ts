/** REST API and people's door over one world, served on a free port; the gateway is a list. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, type Random, seededRandom, systemClock } from '@starling/clock';
import { createKnobs, type KnobStore, type KnobsInput } from '../../src/core/knobs.ts';
import type { Dispatch, RestFault } from '../../src/core/ports.ts';
import { createWorld, type World } from '../../src/core/world.ts';
import type { WorldInput } from '../../src/core/world-spec.ts';
import { createPeopleHandler } from '../../src/people/people-handler.ts';
import { createRecord, type EmulatorRecord } from '../../src/record/record.ts';
import { createPlatform, type Platform } from '../../src/rest/platform.ts';
import { createRestHandler, type RestHandler } from '../../src/rest/rest-handler.ts';
import { checkResponse } from './response-schemas.ts';

/** Decoded JSON as `JSON.parse` gives it: its shape is what the schema check of each answer proves. */
type Json = ReturnType<typeof JSON.parse>;

/** An answer of the API with its body decoded. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Json;
}

export interface Composition extends AsyncDisposable {
  readonly url: string;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly platform: Platform;
  readonly rest: RestHandler;
  readonly record: EmulatorRecord;
  /** Events that the gateway would have sent. */
  readonly dispatched: Dispatch[];
  /** Faults of the next requests. */
  readonly faults: RestFault[];
  /** Calls the API as the bot; every answer is checked against Discord's own schemas. */
  api(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<ApiAnswer>;
  /** Uses the people's door. */
  people(method: string, path: string, body?: unknown): Promise<ApiAnswer>;
}

export interface CompositionOptions {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly world?: WorldInput;
  readonly knobs?: KnobsInput;
}

/** Limits that no test reaches unless it sets its own. */
const noLimits: KnobsInput = {
  globalPerSecond: 100_000,
  messagesPerChannel: { limit: 10_000 },
  editsPerChannel: { limit: 10_000 },
  deletesPerChannel: { limit: 10_000 },
  otherRoutes: { limit: 10_000 },
};

export async function compose(options: CompositionOptions = {}): Promise<Composition> {
  const clock = options.clock ?? systemClock;
  const random = options.random ?? seededRandom(7);
  const knobs = createKnobs({ ...noLimits, ...options.knobs });
  const world = createWorld({ clock, random, knobs, world: options.world ?? {} });
  const record = createRecord({ clock, knobs });
  const dispatched: Dispatch[] = [];
  const faults: RestFault[] = [];
  let url = '';
  const platform = createPlatform({
    clock,
    random,
    world,
    knobs,
    keeper: record,
    dispatcher: { dispatch: (event) => dispatched.push(event) && 1 },
    baseUrl: () => url,
  });
  const limit = { total: 1000, remaining: 1000, reset_after: 0, max_concurrency: 16 };
  const rest = createRestHandler({
    platform,
    faults: { nextRestFault: () => faults.shift() },
    gateway: {
      botTokenRevoked: () => false,
      gatewayBot: () => ({ url: 'ws://127.0.0.1:1', shards: 1, session_start_limit: limit }),
    },
  });
  const people = createPeopleHandler(platform);
  const server = createServer((request, response) => {
    if (request.url?.startsWith('/people')) people.handle(request, response);
    else rest.handle(request, response);
  });
  server.on('upgrade', (request, socket, head) => people.upgrade(request, socket, head));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  async function call(
    target: string,
    method: string,
    body: unknown,
    headers: Record<string, string> = {},
  ) {
    const isForm = body instanceof FormData;
    const given = new Headers(headers);
    if (body !== undefined && !isForm) given.set('content-type', 'application/json');
    const response = await fetch(target, {
      method,
      headers: given,
      ...(body === undefined
        ? {}
        : { body: isForm || typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const isJson = response.headers.get('content-type')?.startsWith('application/json') === true;
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
    };
  }

  return {
    url,
    world,
    knobs,
    platform,
    rest,
    record,
    dispatched,
    faults,
    async api(method, path, body, headers) {
      const authorization = `Bot ${world.botToken}`;
      const given = { authorization, ...headers };
      const answer = await call(`${url}/api/v10${path}`, method, body, given);
      checkResponse({ method, path, answer });
      return answer;
    },
    people: (method, path, body) => call(`${url}/people${path}`, method, body),
    async [Symbol.asyncDispose]() {
      people[Symbol.dispose]();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
