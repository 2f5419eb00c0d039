/**
 * Discord's REST API v10 over one world. A request passes, in this order: the edge's ban, faults,
 * the route, the token, the rate limits, its body, and then the route's own work in one synchronous
 * step; what comes out is judged for the invalid-request limit and written.
 */
import { createHash } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { log } from '@starling/telemetry';
import { WorldFullError } from '../core/channel-store.ts';
import type { GatewayInfo, RestFault, RestFaults } from '../core/ports.ts';
import { ApiError } from './api-error.ts';
import { InvalidRequests } from './limits/invalid-requests.ts';
import { RateLimits } from './limits/rate-limits.ts';
import type { Platform } from './platform.ts';
import { readRequestBody } from './request-body.ts';
import {
  apiErrorReply,
  edgePage,
  jsonReply,
  plainError,
  type Reply,
  rateLimitedReply,
  writeReply,
} from './rest-reply.ts';
import { majorIdOf, type RouteMatch, Router } from './router.ts';
import { channelRoutes } from './routes/channel-routes.ts';
import { commandRoutes } from './routes/command-routes.ts';
import { guildRoutes } from './routes/guild-routes.ts';
import { interactionRoutes } from './routes/interaction-routes.ts';
import { messageRoutes } from './routes/message-routes.ts';
import { selfRoutes } from './routes/self-routes.ts';

const logger = log('rest');

export interface RestParts {
  readonly platform: Platform;
  readonly gateway: GatewayInfo;
  readonly faults: RestFaults;
}

/** The API as a part of a server: give it every request whose path begins with `/api`. */
export interface RestHandler {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** Invalid answers that count at this moment towards the edge's ban. */
  readonly invalidRequests: number;
}

interface Target {
  readonly method: string;
  /** Without `/api/v10` and without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** What became of a request; `planted` when a fault brought it about. */
interface Outcome {
  readonly reply: Reply | 'reset';
  readonly planted?: boolean;
}

export function createRestHandler({ platform, gateway, faults }: RestParts): RestHandler {
  const { clock, world, knobs, keeper } = platform;
  const router = new Router([
    ...selfRoutes(platform, gateway),
    ...guildRoutes(platform),
    ...channelRoutes(platform),
    ...messageRoutes(platform),
    ...commandRoutes(platform),
    ...interactionRoutes(platform),
  ]);
  const limits = new RateLimits(clock, () => knobs.current);
  const invalid = new InvalidRequests(clock, () => knobs.current.invalidRequests);

  async function serve(request: IncomingMessage, target: Target): Promise<Outcome> {
    const banMs = invalid.banRemainingMs();
    if (banMs > 0) return { reply: edgePage(429, banMs), planted: true };
    const fault = faults.nextRestFault(target);
    const instead = fault && insteadOf(fault);
    if (instead) return { reply: instead, planted: true };
    const match = router.match(target);
    const reply = match ? await carryOut(request, { match, target }) : plainError(404);
    if (fault?.kind === 'slow') await clock.sleep(fault.delayMs);
    if (fault?.kind === 'reset') return { reply: 'reset', planted: true };
    if (fault?.kind === 'server_error') return { reply: plainError(fault.status), planted: true };
    return { reply };
  }

  async function carryOut(
    request: IncomingMessage,
    { match, target }: { readonly match: RouteMatch; readonly target: Target },
  ): Promise<Reply> {
    const { route, params } = match;
    if (route.auth === 'bot' && !isAuthorized(request)) return plainError(401);
    const majorId = majorIdOf(params);
    const decision = limits.admit({
      method: route.method,
      template: route.template,
      family: route.family,
      majorId,
      exemptFromGlobal: route.exemptFromGlobal === true,
    });
    if (route.family === 'editsPerChannel') {
      // Reported as the bucket saw it, also when refused: the record judges by the same window.
      const channelId = params.channelId ?? `webhook ${digest(majorId)}`;
      keeper.edited({ messageId: params.messageId ?? '', channelId, atMs: clock.nowMs() });
    }
    if (decision.kind === 'limited') return rateLimitedReply(decision);
    try {
      const body = await readRequestBody(request);
      const response = route.handle({ params, query: target.query, body });
      return jsonReply(response.status, response.body, decision.headers);
    } catch (error) {
      if (error instanceof ApiError) return apiErrorReply(error, decision.headers);
      if (error instanceof WorldFullError) {
        return apiErrorReply(new ApiError(130000), decision.headers);
      }
      throw error;
    }
  }

  function isAuthorized(request: IncomingMessage): boolean {
    return !gateway.botTokenRevoked() && request.headers.authorization === `Bot ${world.botToken}`;
  }

  function finish(
    { request, response }: { readonly request: IncomingMessage; readonly response: ServerResponse },
    { target, outcome }: { readonly target: Target; readonly outcome: Outcome },
  ): void {
    const { reply, planted } = outcome;
    if (reply === 'reset') {
      request.socket.resetAndDestroy();
      return;
    }
    if (reply.status === 429) keeper.count('rest_429');
    if (invalid.isInvalid(reply) && invalid.banRemainingMs() === 0) {
      invalid.add();
      if (!planted) {
        const { status, scope } = reply;
        const { method, path } = target;
        const detail = { status, method, path: withoutTokens(path), ...(scope ? { scope } : {}) };
        keeper.violation({ rule: 'invalid_request', atMs: clock.nowMs(), detail });
      }
    }
    // A body that was not read (refused before) is let run out, so that the client reads the answer.
    request.resume();
    writeReply(response, reply);
  }

  return {
    handle(request, response) {
      keeper.count('rest_requests');
      const target = targetOf(request);
      if (!target) {
        writeReply(response, apiErrorReply(new ApiError(50041), {}));
        return;
      }
      serve(request, target).then(
        (outcome) => finish({ request, response }, { target, outcome }),
        (error: unknown) => {
          if (request.destroyed) {
            response.destroy();
            return;
          }
          logger.error('rest.failed', { error });
          writeReply(response, plainError(500));
        },
      );
    },
    get invalidRequests() {
      return invalid.count;
    },
  };
}

/** @returns undefined for a version that is not served */
function targetOf(request: IncomingMessage): Target | undefined {
  const [rawPath = '', query = ''] = (request.url ?? '').split('?', 2);
  const path = /^\/api(?:\/v10)?(\/.*)$/.exec(rawPath)?.[1];
  if (path === undefined || /^\/v\d+(\/|$)/.test(path)) return undefined;
  return { method: request.method ?? 'GET', path, query: new URLSearchParams(query) };
}

/** The answer of a fault that keeps the request from being carried out. */
function insteadOf(fault: RestFault): Reply | 'reset' | undefined {
  switch (fault.kind) {
    case 'rate_limited':
      return rateLimitedReply(fault);
    case 'html':
      return edgePage(fault.status, fault.status === 429 ? 1000 : undefined);
    case 'reset':
      return fault.when === 'before' ? 'reset' : undefined;
    case 'server_error':
      return fault.when === 'before' ? plainError(fault.status) : undefined;
    case 'slow':
      return undefined;
  }
}

const digest = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16);

/** Interaction tokens stay out of what is kept and shown. */
function withoutTokens(path: string): string {
  return path.replace(/^(\/(?:webhooks|interactions)\/[^/]+)\/[^/]+/, '$1/…');
}
