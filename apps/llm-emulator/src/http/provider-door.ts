/** The providers over HTTP: from a request to the steps of its reply. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock, Random } from '@starling/clock';
import { anthropicDialect } from '../dialects/anthropic.ts';
import { type Dialect, isProblem, type ProviderProblem } from '../dialects/dialect.ts';
import { ollamaDialect } from '../dialects/ollama.ts';
import { openaiDialect } from '../dialects/openai.ts';
import { applyFault } from '../faults/apply-fault.ts';
import type { FaultBook } from '../faults/fault-book.ts';
import { keyLabel } from '../key-label.ts';
import type { Profile } from '../profile.ts';
import type { Connection } from '../record/connection-log.ts';
import type { EmulatorRecord } from '../record/emulator-record.ts';
import type { RequestEntry } from '../record/request-entry.ts';
import { bodySteps, type Step } from '../reply-steps.ts';
import { type SendObserver, sendReply } from '../send-reply.ts';
import { answerSteps } from './answer-steps.ts';
import { type Listing, listingFor } from './listings.ts';
import { readBody } from './read-body.ts';

/** What the door works with. */
export interface ProviderParts {
  readonly clock: Clock;
  readonly record: EmulatorRecord;
  readonly faults: FaultBook;
  readonly bodyBytesMax: number;
  /** The profile that stands now, and the stream of its latency draws. */
  profile(): { readonly profile: Profile; readonly random: Random };
}

const chatDialects: Readonly<Record<string, Dialect>> = {
  '/v1/chat/completions': openaiDialect,
  '/api/chat': ollamaDialect,
  '/v1/messages': anthropicDialect,
};

const unobserved: SendObserver = { head() {}, bytes() {}, ended() {} };

/** Takes one provider request; `connection` is the record's view of the socket it came on. */
export function providerDoor(parts: ProviderParts) {
  const { clock, record } = parts;

  const refuse = (dialect: Dialect, problem: ProviderProblem): Iterable<Step> =>
    bodySteps({
      afterMs: 0,
      status: problem.status,
      headers: { 'content-type': 'application/json' },
      body: dialect.errorBody(problem),
      tokens: 0,
    });

  /** Who is let in; `undefined` for everybody the profile accepts. */
  const keyProblem = (label: string): ProviderProblem | undefined => {
    const { acceptedKeys } = parts.profile().profile;
    return acceptedKeys === null || acceptedKeys.includes(label)
      ? undefined
      : { status: 401, message: 'Incorrect API key provided: this emulator does not accept it.' };
  };

  const chat =
    (path: string, dialect: Dialect, connection: Connection) =>
    (request: IncomingMessage, response: ServerResponse): void => {
      const label = keyLabel(dialect.keyOf(request.headers));
      const entry = record.begin({ path, keyLabel: label, connection });
      const early = () => entry.ended('aborted');
      response.once('close', early);
      readBody(request, parts.bodyBytesMax, (result) => {
        response.off('close', early);
        if (result === 'too-large') response.setHeader('connection', 'close');
        const steps =
          result === 'too-large'
            ? refuse(dialect, {
                status: 413,
                message: `The body has more than ${parts.bodyBytesMax} bytes.`,
              })
            : chatSteps({ text: result.text, request, dialect, path, label, entry });
        sendReply(clock, response, steps, entry);
      });
    };

  const chatSteps = (call: {
    readonly text: string;
    readonly request: IncomingMessage;
    readonly dialect: Dialect;
    readonly path: string;
    readonly label: string;
    readonly entry: RequestEntry;
  }): Iterable<Step> => {
    const { dialect, entry, label, path } = call;
    const body = parseJson(call.text);
    if (body === undefined)
      return refuse(dialect, { status: 400, message: 'The body is not JSON.' });
    const chatRequest = dialect.read(body, call.request.headers);
    if (isProblem(chatRequest)) return refuse(dialect, chatRequest);
    entry.understood(chatRequest);
    const unknownKey = keyProblem(label);
    if (unknownKey) return refuse(dialect, unknownKey);
    const { model } = chatRequest;
    const fault = parts.faults.strike({ model, keyLabel: label, path, chat: true });
    if (fault) entry.struckBy(fault.kind);
    return answerSteps({
      dialect,
      chatRequest,
      fault,
      entry,
      nowMs: clock.nowMs(),
      ...parts.profile(),
    });
  };

  const list = (path: string, listing: Listing, request: IncomingMessage): Iterable<Step> => {
    const { dialect } = listing;
    const label = keyLabel(dialect.keyOf(request.headers));
    const unknownKey = keyProblem(label);
    if (unknownKey) return refuse(dialect, unknownKey);
    const steps = bodySteps({
      afterMs: 0,
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(listing.body(parts.profile().profile)),
      tokens: 0,
    });
    const fault = parts.faults.strike({ model: undefined, keyLabel: label, path, chat: false });
    if (!fault) return steps;
    return applyFault(steps, fault, {
      encoder: undefined,
      answerTokens: 0,
      errorBody: dialect.errorBody,
      limitHeaders: (limits) => dialect.limitHeaders(limits, clock.nowMs()),
    });
  };

  return (request: IncomingMessage, response: ServerResponse, connection: Connection): void => {
    record.connections.providerRequest(connection);
    const [path = '/'] = (request.url ?? '/').split('?', 1);
    const dialect = request.method === 'POST' ? chatDialects[path] : undefined;
    if (dialect) {
      chat(path, dialect, connection)(request, response);
      return;
    }
    request.resume();
    const listing = request.method === 'GET' ? listingFor(path, request.headers) : undefined;
    const steps = listing
      ? list(path, listing, request)
      : refuse(openaiDialect, { status: 404, message: `No such path: ${request.method} ${path}` });
    sendReply(clock, response, steps, unobserved);
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
