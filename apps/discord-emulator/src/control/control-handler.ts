/**
 * The control door: faults, record, world, knobs and sessions over HTTP, JSON in and out. It has no
 * lock: the emulator listens on loopback.
 *
 * | request | does |
 * |---|---|
 * | `GET /control/record?answerDueMs=N` | what the record has to say |
 * | `DELETE /control/record` | forgets it |
 * | `GET /control/faults` | every fault with its hits |
 * | `PUT /control/faults` | replaces them by `[fault, …]` or `{"faults": […]}` |
 * | `POST /control/faults` | switches on one more |
 * | `DELETE /control/faults` | switches all off |
 * | `GET /control/world?from=N&count=N` | the description, and guilds with their channels |
 * | `GET`, `PUT /control/knobs` | reads all; changes the named ones |
 * | `GET /control/sessions` | gateway sessions |
 * | `POST /control/sessions/refill` | a new day of session starts |
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import type { KnobStore, KnobsInput } from '../core/knobs.ts';
import type { World } from '../core/world.ts';
import { type FaultSchedule, maxFaults, TooManyFaultsError } from '../faults/fault-schedule.ts';
import { faultSpec } from '../faults/fault-spec.ts';
import type { Gateway } from '../gateway/gateway.ts';
import type { EmulatorRecord } from '../record/record.ts';
import { readBounded } from '../rest/request-body.ts';
import { type Problem, problemsOf } from './problems.ts';

export interface ControlParts {
  readonly world: World;
  readonly knobs: KnobStore;
  readonly faults: FaultSchedule;
  readonly record: EmulatorRecord;
  readonly gateway: Pick<Gateway, 'sessions' | 'refillSessionStarts'>;
}

export interface ControlHandler {
  /** Answers a request whose path begins with `/control`. */
  handle(request: IncomingMessage, response: ServerResponse): void;
}

/** A larger body is refused. */
const maxBodyBytes = 1024 * 1024;

type Answer = { readonly status: number; readonly body?: unknown };
type Action = (call: { readonly query: URLSearchParams; readonly body: unknown }) => Answer;

/** What was sent is wrong: answered with 400 and each problem. */
class BadRequestError extends Error {
  override readonly name = 'BadRequestError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super('what was sent does not fit');
    this.problems = problems;
  }
}

const faultList = z.array(faultSpec).max(maxFaults);
const page = z.strictObject({
  from: z.coerce.number().int().min(0).default(0),
  count: z.coerce.number().int().min(0).max(1000).default(100),
});
const recordQuery = z.strictObject({
  answerDueMs: z.coerce.number().int().min(0).optional(),
});

export function createControlHandler(parts: ControlParts): ControlHandler {
  const actions = actionsOf(parts);

  async function answer(request: IncomingMessage): Promise<Answer> {
    const url = new URL(request.url ?? '/', 'http://control');
    const methods = actions[url.pathname.replace(/\/$/, '')];
    if (!methods)
      return { status: 404, body: { error: 'no such path', paths: Object.keys(actions) } };
    const action = methods[request.method ?? 'GET'];
    if (!action)
      return { status: 405, body: { error: 'no such method', methods: Object.keys(methods) } };
    const body = await readJson(request);
    return action({ query: url.searchParams, body });
  }

  return {
    handle(request, response) {
      void answer(request)
        .catch((error: unknown): Answer => {
          if (error instanceof BadRequestError) {
            return { status: 400, body: { error: error.message, problems: error.problems } };
          }
          if (error instanceof TooManyFaultsError)
            return { status: 409, body: { error: error.message } };
          return { status: 500, body: { error: 'the emulator failed' } };
        })
        .then(({ status, body }) => {
          request.resume();
          response.writeHead(status, { 'content-type': 'application/json' });
          response.end(body === undefined ? undefined : JSON.stringify(body));
        });
    },
  };
}

function actionsOf(parts: ControlParts): Record<string, Record<string, Action>> {
  const { world, knobs, faults, record, gateway } = parts;
  const listFaults = (): Answer => ({ status: 200, body: { faults: faults.list() } });
  return {
    '/control/record': {
      GET: ({ query }) => {
        const { answerDueMs } = parse(recordQuery, Object.fromEntries(query));
        return {
          status: 200,
          body: record.query(answerDueMs === undefined ? {} : { answerDueMs }),
        };
      },
      DELETE: () => {
        record.reset();
        return { status: 204 };
      },
    },
    '/control/faults': {
      GET: listFaults,
      PUT: ({ body }) => {
        const list = parse(faultList, isRecord(body) && 'faults' in body ? body.faults : body);
        faults.clear();
        for (const fault of list) faults.add(fault);
        return listFaults();
      },
      POST: ({ body }) => ({ status: 201, body: faults.add(parse(faultSpec, body)) }),
      DELETE: () => {
        faults.clear();
        return { status: 204 };
      },
    },
    '/control/world': {
      GET: ({ query }) => {
        const { from, count } = parse(page, Object.fromEntries(query));
        return { status: 200, body: worldReport(world, { from, count }) };
      },
    },
    '/control/knobs': {
      GET: () => ({ status: 200, body: knobs.current }),
      PUT: ({ body }) => {
        setKnobs(knobs, body);
        return { status: 200, body: knobs.current };
      },
    },
    '/control/sessions': {
      GET: () => ({ status: 200, body: { sessions: gateway.sessions() } }),
    },
    '/control/sessions/refill': {
      POST: () => {
        gateway.refillSessionStarts();
        return { status: 204 };
      },
    },
  };
}

function setKnobs(knobs: KnobStore, body: unknown): void {
  if (!isRecord(body)) throw badBody(body, 'send an object of knobs by name');
  try {
    knobs.set(body as KnobsInput);
  } catch (error) {
    if (error instanceof z.ZodError) throw new BadRequestError(problemsOf(error, body));
    throw error;
  }
}

function worldReport(
  world: World,
  { from, count }: { readonly from: number; readonly count: number },
) {
  const guilds = [];
  let place = 0;
  for (const guildId of world.guildIds()) {
    if (place >= from + count) break;
    const guild = place >= from ? world.guild(guildId) : undefined;
    place += 1;
    if (!guild) continue;
    const channels = guild
      .channels()
      .map(({ id, name }) => ({ id, name, bot: world.botRights(id) }));
    guilds.push({ id: guild.id, name: guild.name, memberCount: guild.memberCount, channels });
  }
  const { spec, application, bot } = world;
  return { spec, applicationId: application.id, botUserId: bot.id, guilds };
}

function parse<T>(schema: z.ZodType<T>, input: unknown): T {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new BadRequestError(problemsOf(parsed.error, input));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

async function readJson(request: IncomingMessage): Promise<unknown> {
  const bytes = await readBounded(request, maxBodyBytes);
  if (!bytes) throw badBody('a body that is too long', `send at most ${maxBodyBytes} bytes`);
  const text = bytes.toString('utf8');
  if (text === '') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw badBody(text.slice(0, 100), 'send JSON');
  }
}

function badBody(value: unknown, remedy: string): BadRequestError {
  return new BadRequestError([{ field: '', value: value ?? null, remedy }]);
}
