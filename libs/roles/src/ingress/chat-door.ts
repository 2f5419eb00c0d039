/** `POST /v1/chat/completions`: from a caller who was let in to the last byte of its answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Random } from '@starling/clock';
import {
  activeContext,
  attributeNames,
  genAiNames,
  linkFrom,
  type RoleTelemetry,
  type Span,
  SpanKind,
} from '@starling/telemetry';
import { correlationIdFor } from '../bot/correlation.ts';
import { type ApiProblem, jobProblem, modelProblem, requestProblem } from './api-problem.ts';
import type { BalancerRoster } from './balancer-roster.ts';
import type { CallerRates } from './caller-rates.ts';
import { type CallerReply, StreamReply, WholeReply } from './caller-reply.ts';
import { type ChatLimits, type ChatRequest, parseChatRequest } from './chat-request.ts';
import type { DurableDesk } from './durable-desk.ts';
import { durableHeader, durableWish } from './durable-key.ts';
import type { JobDesk } from './job-desk.ts';
import { isModelOffered } from './model-list.ts';
import type { Ask, Departure, Ending } from './open-job.ts';
import { maxBodyBytes, readBody } from './read-body.ts';
import type { ReaderWatch } from './reader-watch.ts';
import { sendProblem } from './send-response.ts';
import { shareWish } from './share-wish.ts';
import type { Tally } from './tally.ts';

export interface ChatDoorParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly telemetry: RoleTelemetry;
  readonly tally: Tally;
  readonly desk: JobDesk;
  readonly durable: DurableDesk;
  readonly roster: BalancerRoster;
  readonly readers: ReaderWatch;
  readonly limits: ChatLimits;
  /** How often a caller may ask; undefined: as often as it likes. */
  readonly rates: CallerRates | undefined;
}

export class ChatDoor {
  readonly #parts: ChatDoorParts;
  /** Tells the requests of this process from those of every other one. */
  readonly #prefix: string;
  #requests = 0;

  constructor(parts: ChatDoorParts) {
    this.#parts = parts;
    const { clock, random } = parts;
    this.#prefix = `${clock.nowMs().toString(36)}${random.integer(36 ** 5).toString(36)}`;
  }

  /** Answers, whatever happens; resolves when the response is closed. */
  async answer(request: IncomingMessage, response: ServerResponse, caller: string): Promise<void> {
    const { clock, telemetry, readers } = this.#parts;
    const arrivedAtMs = clock.monotonicMs();
    const closed = Promise.withResolvers<void>();
    let leave: ((why: Departure) => void) | undefined;
    response.once('close', () => {
      leave?.('disconnected');
      closed.resolve();
    });
    readers.watch(response, arrivedAtMs);
    const link = linkFrom(traceHeaders(request));
    await telemetry.withSpan(
      'request',
      {
        root: true,
        kind: SpanKind.SERVER,
        attributes: { [attributeNames.caller]: caller },
        ...(link && { links: [link] }),
      },
      async (span) => {
        try {
          leave = await this.#begin({ request, response, caller, arrivedAtMs, span });
        } catch (error) {
          telemetry.log('door').error('request.broken', { error });
          this.#refuse(response, jobProblem('internal'), span);
        }
        if (response.closed) leave?.('disconnected');
        await closed.promise;
        span.setAttribute(attributeNames.httpStatus, response.statusCode);
      },
    );
  }

  /** Reads the request and hands it to the fleet. @returns how to take it back */
  async #begin(call: {
    readonly request: IncomingMessage;
    readonly response: ServerResponse;
    readonly caller: string;
    readonly arrivedAtMs: number;
    readonly span: Span;
  }): Promise<((why: Departure) => void) | undefined> {
    const { response, caller, arrivedAtMs, span } = call;
    const { clock, desk, random, tally, telemetry } = this.#parts;
    const context = activeContext();
    this.#requests += 1;
    const requestId = `${this.#prefix}-${this.#requests.toString(36)}`;
    response.setHeader('x-request-id', requestId);
    response.setHeader('x-correlation-id', correlationIdFor(random, context));

    const durable = durableWish(call.request.headers);
    if (durable && 'problem' in durable) {
      call.request.resume();
      this.#refuse(response, durable.problem, span);
      return undefined;
    }
    const share = shareWish(call.request.headers);
    if ('problem' in share) {
      call.request.resume();
      this.#refuse(response, share.problem, span);
      return undefined;
    }
    const isKnown = async () =>
      durable !== undefined && (await this.#parts.durable.knows({ caller, key: durable.key }));
    const read = await this.#read(call.request, { shares: share.shares, isKnown });
    if (read === 'gone') {
      tally.count('starling.ingress.disconnects', { why: 'disconnected' });
      return undefined;
    }
    if ('problem' in read) {
      this.#refuse(response, read.problem, span);
      return undefined;
    }
    const tooMany = await this.#parts.rates?.problem(caller, requestId);
    if (tooMany) {
      this.#refuse(response, tooMany, span);
      return undefined;
    }
    const { request } = read;
    span.setAttribute(attributeNames.lane, request.lane);
    span.setAttribute(genAiNames.requestModel, request.model);
    span.setAttribute(genAiNames.stream, request.stream);
    let slowReader = () => {};
    const ask = { requestId, caller, request, context, arrivedAtMs };
    const onEnded = (ending: Ending) => {
      if (ending.kind === 'failed') this.#failed(ending.problem, span);
      if (ending.kind === 'left') {
        const tookMs = Math.round(clock.monotonicMs() - arrivedAtMs);
        const log = telemetry.log('door');
        telemetry.run(() => log.info('caller.gone', { why: ending.why, tookMs }), context);
      }
    };
    const replyAs = (answer: { readonly id: string; readonly createdAtMs: number }) =>
      this.#replyTo(response, { request, answer, onOverflow: () => slowReader() });
    const asked = durable
      ? this.#parts.durable.ask({
          ...{ ...ask, key: durable.key, replyAs, onEnded },
          onFound: (found) => {
            response.setHeader(durableHeader, found);
            span.setAttribute(attributeNames.durable, found);
          },
          onFirst: () =>
            tally.observe('starling.ingress.first_token', clock.monotonicMs() - arrivedAtMs),
        })
      : desk.ask({
          ...ask,
          reply: replyAs({ id: requestId, createdAtMs: clock.nowMs() }),
          onPlace: ({ position, expectedWaitMs }) => {
            span.setAttribute(attributeNames.queuePosition, position);
            span.setAttribute(attributeNames.expectedWaitMs, expectedWaitMs);
            sayPlace(response, { position, expectedWaitMs });
          },
          onEnded: (ending, submissions) => {
            span.setAttribute(attributeNames.submissions, submissions);
            onEnded(ending);
          },
        });
    slowReader = () => {
      asked.leave('slow_reader');
      response.destroy();
    };
    return (why) => asked.leave(why);
  }

  async #read(
    request: IncomingMessage,
    of: {
      readonly shares: boolean;
      /** Whether it became a job before. */
      isKnown(): Promise<boolean>;
    },
  ): Promise<{ readonly request: ChatRequest } | { readonly problem: ApiProblem } | 'gone'> {
    const problem = unreadable(request);
    if (problem) {
      request.resume();
      return { problem };
    }
    const body = await readBody(request);
    if (body === 'gone') return 'gone';
    if (body === 'too_large') {
      const message = `The body has more than ${maxBodyBytes} bytes: send less.`;
      return { problem: requestProblem('body_too_large', message) };
    }
    if (body === 'not_utf8') {
      return { problem: requestProblem('invalid_json', 'The body is not UTF-8: send it so.') };
    }
    const parsed = parseChatRequest(body.text, { ...this.#parts.limits, shares: of.shares });
    if ('problem' in parsed || isModelOffered(this.#parts.roster, parsed.request.model)) {
      return parsed;
    }
    // What was accepted while somebody served it has an end, whoever serves it now.
    if (await of.isKnown()) return parsed;
    const message = `The model ${JSON.stringify(parsed.request.model)} is not served: name one of GET /v1/models.`;
    return { problem: modelProblem(message) };
  }

  #replyTo(
    response: ServerResponse,
    options: {
      readonly request: ChatRequest;
      readonly answer: { readonly id: string; readonly createdAtMs: number };
      readonly onOverflow: () => void;
    },
  ): CallerReply {
    const { answer, onOverflow } = options;
    const { model, serviceTier, stream, includeUsage } = options.request;
    const created = Math.floor(answer.createdAtMs / 1000);
    const head = { requestId: answer.id, created, model, serviceTier };
    return stream
      ? new StreamReply(response, { head, includeUsage, onOverflow })
      : new WholeReply(response, head);
  }

  #refuse(response: ServerResponse, problem: ApiProblem, span: Span): void {
    this.#failed(problem, span);
    if (response.headersSent) response.destroy();
    else sendProblem(response, problem);
  }

  #failed({ code, status }: ApiProblem, span: Span): void {
    const { tally, telemetry } = this.#parts;
    tally.count('starling.ingress.refusals', { code });
    span.setAttribute(attributeNames.errorCode, code);
    const log = telemetry.log('door');
    if (status >= 500) log.warn('request.failed', { code, status });
    else log.debug('request.refused', { code, status });
  }
}

/**
 * The caller's place in line as headers of its response, unless those are out already. A wait of 0 ms
 * means that there is none, or that nobody can tell: nothing is said of it.
 */
function sayPlace(
  response: ServerResponse,
  { expectedWaitMs, position }: Parameters<Ask['onPlace']>[0],
): void {
  if (response.headersSent) return;
  response.setHeader('x-starling-queue-position', position);
  // Of an earlier submission of the same request.
  response.removeHeader('x-starling-expected-wait-ms');
  if (expectedWaitMs > 0) {
    response.setHeader('x-starling-expected-wait-ms', Math.ceil(expectedWaitMs));
  }
}

/** Why the body is not even looked at. A page of a browser cannot send this type unasked. */
function unreadable({ headers }: IncomingMessage): ApiProblem | undefined {
  const type = headers['content-type'] ?? '';
  const encoding = headers['content-encoding'] ?? 'identity';
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    const message = `The content-type is ${JSON.stringify(type)}: set it to application/json.`;
    return requestProblem('unsupported_media_type', message);
  }
  if (encoding !== 'identity') {
    const message = `The content-encoding is ${JSON.stringify(encoding)}: send the body as it is.`;
    return requestProblem('unsupported_media_type', message);
  }
  return undefined;
}

/** The caller's trace, if it has one: ours is linked to it. */
function traceHeaders({ headers }: IncomingMessage): Record<string, string> {
  const { traceparent, tracestate } = headers;
  if (typeof traceparent !== 'string') return {};
  return { traceparent, ...(typeof tracestate === 'string' && { tracestate }) };
}
