/** What callers can ask for, who may, and how much at once. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Random } from '@starling/clock';
import { correlationIdFor } from '../bot/correlation.ts';
import { fleetGaugesOf } from '../delivery/fleet-gauges.ts';
import type { ApiKey } from './api-keys.ts';
import { type ApiProblem, modelProblem, requestProblem } from './api-problem.ts';
import type { BalancerRoster } from './balancer-roster.ts';
import { callerOrProblem } from './caller-gate.ts';
import type { ChatDoor } from './chat-door.ts';
import { modelBody, modelListBody } from './model-list.ts';
import type { RequestPermits } from './request-permits.ts';
import { sendBody, sendProblem } from './send-response.ts';
import type { Tally } from './tally.ts';

export interface DoorParts {
  readonly random: Random;
  readonly keys: readonly ApiKey[];
  readonly permits: RequestPermits;
  readonly chat: ChatDoor;
  readonly roster: BalancerRoster;
  readonly tally: Tally;
  /** Why this ingress should be sent no requests; undefined when it should. */
  readonly whyUnready: () => string | undefined;
}

const chatPath = '/v1/chat/completions';
const modelsPath = '/v1/models';

type PageName = 'models' | 'health' | 'ready' | 'metrics' | 'none';

/** A route, named as it is counted. */
interface Route {
  readonly name: 'chat' | PageName;
  readonly method: string;
}

const modelRoute: Route = { name: 'models', method: 'GET' };
const routes: ReadonlyMap<string, Route> = new Map([
  [chatPath, { name: 'chat', method: 'POST' }],
  [modelsPath, modelRoute],
  ['/healthz', { name: 'health', method: 'GET' }],
  ['/readyz', { name: 'ready', method: 'GET' }],
  ['/metrics', { name: 'metrics', method: 'GET' }],
]);

interface Page {
  readonly status: number;
  readonly body: string;
  readonly type: string;
}

const json = (body: string): Page => ({
  status: 200,
  body,
  type: 'application/json; charset=utf-8',
});
const text = (status: number, body: string): Page => ({
  status,
  body: `${body}\n`,
  type: 'text/plain; charset=utf-8',
});

export class HttpDoor {
  readonly #parts: DoorParts;
  /** Responses that are not over: as many as connections, and their pipelined requests. */
  readonly #open = new Set<ServerResponse>();
  #closing = false;
  #idle: (() => void) | undefined;

  constructor(parts: DoorParts) {
    this.#parts = parts;
  }

  /**
   * From now on nothing new is taken, and each connection ends with its answer. Resolves when the last
   * one is sent.
   */
  close(): Promise<void> {
    this.#closing = true;
    for (const response of this.#open) hangUpAfter(response);
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle = resolve;
    if (this.#open.size === 0) resolve();
    return promise;
  }

  /** Answers a request of the server. */
  handle(request: IncomingMessage, response: ServerResponse): void {
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const route = this.#routeOf(request, path);
    const { tally } = this.#parts;
    this.#open.add(response);
    response.once('close', () => {
      this.#open.delete(response);
      if (this.#open.size === 0) this.#idle?.();
      const status = response.writableFinished ? String(response.statusCode) : 'gone';
      tally.count('starling.ingress.requests', { route: route.name, status });
    });
    if (this.#closing) hangUpAfter(response);
    if (route.method !== asGet(request.method)) {
      response.setHeader('allow', route.method);
      const message = `${request.method} is not known here: ask with ${route.method}.`;
      this.#refuse(request, response, requestProblem('method_not_allowed', message));
    } else if (route.name === 'chat') {
      this.#chat(request, response);
    } else {
      const page = this.#page(route.name, request, path);
      if ('code' in page) {
        this.#refuse(request, response, page);
      } else {
        request.resume();
        response.setHeader('x-correlation-id', correlationIdFor(this.#parts.random));
        sendBody(response, page.status, page.body, page.type);
      }
    }
  }

  #routeOf({ method = 'GET' }: IncomingMessage, path: string): Route {
    const known = routes.get(path);
    if (known) return known;
    return path.startsWith(`${modelsPath}/`) ? modelRoute : { name: 'none', method: asGet(method) };
  }

  #chat(request: IncomingMessage, response: ServerResponse): void {
    const admitted = this.#admit(request);
    if ('problem' in admitted) {
      this.#refuse(request, response, admitted.problem);
      return;
    }
    const { caller, permit } = admitted;
    // It reports its own failures.
    void this.#parts.chat.answer(request, response, caller).finally(() => permit[Symbol.dispose]());
  }

  /** Who asks, with the right to be answered. */
  #admit({
    headers,
  }: IncomingMessage):
    | { readonly caller: string; readonly permit: Disposable }
    | { readonly problem: ApiProblem } {
    const { keys, permits } = this.#parts;
    const known = callerOrProblem(headers, keys);
    if ('problem' in known) return known;
    if (this.#closing) {
      const message = 'This ingress is shutting down: ask again.';
      return { problem: requestProblem('shutting_down', message) };
    }
    const permit = permits.take(known.caller);
    if (typeof permit !== 'string') return { caller: known.caller, permit };
    const whose = permit === 'caller_full' ? ' of this API key' : '';
    const message = `Too many requests${whose} are in hand: ask again when one has ended.`;
    return { problem: requestProblem('too_many_in_flight', message) };
  }

  #page(name: PageName, { headers }: IncomingMessage, path: string): Page | ApiProblem {
    const { keys, permits, roster, tally, whyUnready } = this.#parts;
    switch (name) {
      case 'health':
        return text(200, 'ok');
      case 'ready': {
        const why = whyUnready();
        return text(why === undefined ? 200 : 503, why ?? 'ready');
      }
      case 'metrics':
        return {
          status: 200,
          type: 'text/plain; version=0.0.4; charset=utf-8',
          body: tally.page({
            'starling.ingress.in_flight': permits.total,
            'starling.ingress.balancers': roster.taking,
            ...(roster.scaling && fleetGaugesOf(roster.scaling)),
          }),
        };
      case 'models': {
        const known = callerOrProblem(headers, keys);
        if ('problem' in known) return known.problem;
        return path === modelsPath ? json(modelListBody(roster)) : this.#model(path);
      }
      case 'none':
        return requestProblem(
          'unknown_url',
          `${path} is not here: there are POST ${chatPath} and GET ${modelsPath}.`,
        );
    }
  }

  #model(path: string): Page | ApiProblem {
    const name = decoded(path.slice(modelsPath.length + 1));
    const body = modelBody(this.#parts.roster, name);
    if (body !== undefined) return json(body);
    const message = `The model ${JSON.stringify(name)} is not served: see GET ${modelsPath}.`;
    return modelProblem(message);
  }

  #refuse(request: IncomingMessage, response: ServerResponse, problem: ApiProblem): void {
    const { random, tally } = this.#parts;
    // What is still on its way is read and forgotten, so that its sender gets to read the answer.
    request.resume();
    tally.count('starling.ingress.refusals', { code: problem.code });
    response.setHeader('x-correlation-id', correlationIdFor(random));
    sendProblem(response, problem);
  }
}

/** Ends the connection with this response, unless its head is out already. */
function hangUpAfter(response: ServerResponse): void {
  if (!response.headersSent) response.setHeader('connection', 'close');
}

/** HEAD asks for a page as GET does; Node leaves the body out. */
function asGet(method = 'GET'): string {
  return method === 'HEAD' ? 'GET' : method;
}

/** A path's piece as text; itself when it is no URL encoding. */
function decoded(piece: string): string {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}
