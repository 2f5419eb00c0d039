/**
 * The people's door: what a person does in Discord, over HTTP, and a WebSocket to look on. Load tests
 * and scenarios use this and nothing else. Every refusal is JSON: `{error: {field, value, problem,
 * remedy}}`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { log } from '@starling/telemetry';
import { z } from 'zod';
import { WorldFullError } from '../core/channel-store.ts';
import type { Platform } from '../rest/platform.ts';
import { readBounded } from '../rest/request-body.ts';
import { jsonReply, type Reply, writeReply } from '../rest/rest-reply.ts';
import { AnswerBook } from './answer-book.ts';
import { listGuilds, viewChannel } from './directory.ts';
import { PeopleError, parseInput } from './people-error.ts';
import { deleteSaid, editSaid, say } from './speak.ts';
import { chooseOptions, pressButton, useCommand } from './use.ts';
import { Watchers } from './watch.ts';

/** The door as a part of a server: give it all whose path begins with `/people`. */
export interface PeopleHandler extends Disposable {
  handle(request: IncomingMessage, response: ServerResponse): void;
  /** A WebSocket that asks for `/people/watch`. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

const logger = log('people');

/** A request's body is at most so long: 4000 characters of 6 escaped bytes each, and the rest. */
const maxInputBytes = 64 * 1024;

const answerQuery = z
  .strictObject({
    messageId: z.string().optional(),
    interactionId: z.string().optional(),
    /** How long to wait for it. */
    timeoutMs: z.coerce.number().int().min(0).max(600_000).default(30_000),
    /** How long it must have stayed as it is. */
    quietMs: z.coerce.number().int().min(0).max(60_000).default(1500),
  })
  .refine((query) => (query.messageId === undefined) !== (query.interactionId === undefined), {
    message: 'either messageId or interactionId',
  });

export function createPeopleHandler(platform: Platform): PeopleHandler {
  const answers = new AnswerBook(platform);
  const watchers = new Watchers(platform);
  const posts: Readonly<Record<string, (input: unknown) => object>> = {
    '/people/say': (input) => say(platform, answers, input),
    '/people/edit': (input) => editSaid(platform, input),
    '/people/delete': (input) => deleteSaid(platform, input),
    '/people/command': (input) => useCommand(platform, answers, input),
    '/people/press': (input) => pressButton(platform, answers, input),
    '/people/select': (input) => chooseOptions(platform, answers, input),
  };
  const gets: Readonly<Record<string, (query: unknown, signal: AbortSignal) => unknown>> = {
    '/people/guilds': (query) => listGuilds(platform, query),
    '/people/channel': (query) => viewChannel(platform, query),
    '/people/answer': (query, signal) => {
      const { messageId, interactionId, ...options } = parseInput(answerQuery, query);
      return answers.wait(messageId ?? interactionId ?? '', { ...options, signal });
    },
  };

  async function serve(request: IncomingMessage, signal: AbortSignal): Promise<Reply> {
    const { path, query } = addressOf(request);
    const file = /^\/people\/attachments\/(\d+)\/[^/]+$/.exec(path)?.[1];
    if (request.method === 'GET' && file !== undefined) return fileReply(platform, file);
    const routes = { GET: gets, POST: posts }[request.method ?? ''];
    if (!routes || !Object.hasOwn(routes, path)) throw noSuchDoor(request.method, path);
    if (request.method === 'GET') return jsonReply(200, await gets[path]?.(query, signal));
    return jsonReply(200, posts[path]?.(await inputOf(request)));
  }

  return {
    handle(request, response) {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      serve(request, gone.signal).then(
        (reply) => writeReply(response, reply),
        (error: unknown) => writeReply(response, refusal(error)),
      );
    },
    upgrade(request, socket, head) {
      try {
        const { path, query } = addressOf(request);
        if (path !== '/people/watch') throw noSuchDoor('WebSocket', path);
        watchers.accept({ request, socket, head }, query);
      } catch (error) {
        const { status, body = '' } = refusal(error);
        socket.end(
          `HTTP/1.1 ${status} Refused\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
        );
      }
    },
    [Symbol.dispose]() {
      answers[Symbol.dispose]();
      watchers.close();
    },
  };
}

function addressOf(request: IncomingMessage) {
  const [path = '', query = ''] = (request.url ?? '').split('?', 2);
  return { path, query: Object.fromEntries(new URLSearchParams(query)) };
}

async function inputOf(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBounded(request, maxInputBytes);
  if (!bytes) {
    const problem = `more than ${maxInputBytes} bytes`;
    const remedy = 'a message has at most 4000 characters';
    throw new PeopleError({ field: '', value: null, problem, remedy }, 413);
  }
  try {
    return JSON.parse(bytes.toString('utf8') || '{}');
  } catch {
    const problem = 'the body is not JSON';
    throw new PeopleError({ field: '', value: null, problem, remedy: 'send a JSON object' });
  }
}

function fileReply(platform: Platform, id: string): Reply {
  const file = platform.attachments.get(id);
  if (!file) {
    const problem = 'no such file, or it had to go';
    throw new PeopleError({ field: 'id', value: id, problem, remedy: 'fetch files early' }, 404);
  }
  return { status: 200, headers: { 'content-type': file.contentType }, body: file.bytes };
}

function noSuchDoor(method: string | undefined, path: string): PeopleError {
  const problem = 'no such request';
  const remedy =
    'POST /people/{say,edit,delete,command,press,select}, GET /people/{answer,channel,guilds}, WebSocket /people/watch';
  return new PeopleError({ field: '', value: `${method} ${path}`, problem, remedy }, 404);
}

function refusal(error: unknown): Reply {
  if (error instanceof PeopleError) return jsonReply(error.status, { error: error.refusal });
  if (error instanceof WorldFullError) {
    const remedy = 'raise the knob that the problem names';
    const full = { field: '', value: null, problem: error.message, remedy };
    return jsonReply(503, { error: full });
  }
  logger.error('people.failed', { error });
  const problem = 'the emulator failed';
  const remedy = 'see its log';
  return jsonReply(500, { error: { field: '', value: null, problem, remedy } });
}
