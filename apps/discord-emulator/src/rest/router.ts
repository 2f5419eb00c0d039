/** Finds the route of a request. Templates are Discord's own paths, with `:name` for a parameter. */
import type { LimitFamily } from './limits/rate-limits.ts';
import type { RequestBody } from './request-body.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** What a route is given. */
export interface RouteCall {
  /** The path's parameters, percent-decoded. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  readonly body: RequestBody;
}

/** What a route answers. Without a body it is an empty one (204). */
export interface RestResponse {
  readonly status: number;
  readonly body?: unknown;
}

/** One route of the API. */
export interface Route {
  readonly method: HttpMethod;
  readonly template: string;
  /** `bot` asks for `Authorization: Bot …`; `none` proves itself by a token in the path, or not at all. */
  readonly auth: 'bot' | 'none';
  readonly family: LimitFamily;
  readonly exemptFromGlobal?: boolean;
  /** Answers, or throws an `ApiError`. Synchronous, so that a request is one step of the world. */
  readonly handle: (call: RouteCall) => RestResponse;
}

/** A route with the parameters that the path gave it. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

interface CompiledRoute {
  readonly route: Route;
  readonly segments: readonly string[];
}

export class Router {
  /** Routes by method and number of segments, in the order in which they were declared. */
  readonly #routes = new Map<string, CompiledRoute[]>();

  constructor(routes: readonly Route[]) {
    for (const route of routes) {
      const segments = route.template.split('/');
      const key = `${route.method} ${segments.length}`;
      const known = this.#routes.get(key);
      if (known) known.push({ route, segments });
      else this.#routes.set(key, [{ route, segments }]);
    }
  }

  /**
   * The route of `method` at `path` (starting with a slash, without the version and the query).
   * @returns undefined for a path that the API does not have, or that is not well percent-encoded
   */
  match({
    method,
    path,
  }: {
    readonly method: string;
    readonly path: string;
  }): RouteMatch | undefined {
    const given = path.split('/');
    for (const { route, segments } of this.#routes.get(`${method} ${given.length}`) ?? []) {
      const params = matchSegments(segments, given);
      if (params) return { route, params };
    }
    return undefined;
  }
}

function matchSegments(
  segments: readonly string[],
  given: readonly string[],
): Record<string, string> | undefined {
  const params: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const value = given[index] ?? '';
    if (segment.startsWith(':')) {
      const decoded = decode(value);
      if (!decoded) return undefined;
      params[segment.slice(1)] = decoded;
    } else if (segment !== value) {
      return undefined;
    }
  }
  return params;
}

function decode(value: string): string | undefined {
  try {
    return decodeURIComponent(value);
  } catch {
    return undefined;
  }
}

/**
 * The top-level resource by which a route's bucket is told apart (docs: Rate Limits). Callbacks are
 * told apart by interaction: they share no limit.
 */
export function majorIdOf(params: Readonly<Record<string, string>>): string {
  if (params.webhookToken !== undefined) return `${params.applicationId}/${params.webhookToken}`;
  return params.channelId ?? params.guildId ?? params.interactionId ?? '';
}
