/** `/control/…` over HTTP: the same that the in-process API offers. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { z } from 'zod';
import { readBody } from '../http/read-body.ts';
import { sendJson } from '../http/send-json.ts';
import type { RecordReading } from '../record/emulator-record.ts';
import { ControlProblem, parseControl } from './control-problem.ts';

/** What can be seen and set while the emulator runs. Setters throw {@link ControlProblem}. */
export interface Controls {
  profile(): unknown;
  setProfile(input: unknown): void;
  faults(): unknown;
  setFaults(input: unknown): void;
  readRecord(query: { readonly requests: number; readonly windowMs: number }): RecordReading;
  resetRecord(): void;
}

/** `GET /control/record?requests=100&windowMs=60000`. */
const recordQuerySchema = z.strictObject({
  requests: z.coerce.number().int().min(0).max(1_000_000).default(100),
  windowMs: z.coerce.number().min(1).max(86_400_000).default(60_000),
});

const controlBodyBytesMax = 1024 * 1024;

type Act = (url: URL, body: unknown) => unknown;

/** Answers a control request; bad input gets 400 with field, value and remedy, and changes nothing. */
export function controlDoor(controls: Controls) {
  const routes: Readonly<Record<string, Act>> = {
    'GET /control/profile': () => controls.profile(),
    'PUT /control/profile': (_url, body) => {
      controls.setProfile(body);
      return controls.profile();
    },
    'GET /control/faults': () => controls.faults(),
    'PUT /control/faults': (_url, body) => {
      controls.setFaults(body);
      return controls.faults();
    },
    'GET /control/record': ({ searchParams }) =>
      controls.readRecord(parseControl(recordQuerySchema, Object.fromEntries(searchParams))),
    'DELETE /control/record': () => {
      controls.resetRecord();
      return { ok: true };
    },
  };

  return (request: IncomingMessage, response: ServerResponse): void => {
    const url = new URL(request.url ?? '/', 'http://emulator');
    const act = routes[`${request.method} ${url.pathname}`];
    readBody(request, controlBodyBytesMax, (result) => {
      try {
        if (!act) throw notFound(request, Object.keys(routes));
        if (result === 'too-large') throw tooLarge;
        sendJson(
          response,
          200,
          act(url, request.method === 'PUT' ? parseJson(result.text) : undefined),
        );
      } catch (error) {
        if (!(error instanceof ControlProblem)) throw error;
        if (error === tooLarge) response.setHeader('connection', 'close');
        sendJson(response, act ? 400 : 404, { error: { problems: error.problems } });
      }
    });
  };
}

const tooLarge = new ControlProblem([
  {
    field: '(body)',
    value: `more than ${controlBodyBytesMax} bytes`,
    remedy: `send at most ${controlBodyBytesMax} bytes`,
  },
]);

const notFound = ({ method, url }: IncomingMessage, known: readonly string[]) =>
  new ControlProblem([
    { field: '(path)', value: `${method} ${url}`, remedy: `use one of ${known.join(', ')}` },
  ]);

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ControlProblem([
      { field: '(body)', value: `${text.length} characters`, remedy: 'send valid JSON' },
    ]);
  }
}
