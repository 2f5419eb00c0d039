/**
 * The calls that every job makes of the stores, each one request in JetStream's own words
 * (docs.nats.io/reference/reference-protocols/nats_api_reference; direct reads: NATS ADR-31). The
 * client's wrappers for them make headers as objects, several promises and an error that is not thrown.
 */
import { JetStreamApiError } from '@nats-io/jetstream';
import type { Headers } from '@starling/contracts';
import type { NatsMessage } from './nats-message.ts';
import type { NatsMessaging } from './nats-messaging.ts';
import { BusError } from './port.ts';
import { readHeaders, type WireMessage } from './wire-message.ts';

/** A server's word that there is no such message. */
const notFound = 404;

/** A message as a stream keeps it. */
export interface ReadMessage {
  readonly subject: string;
  readonly sequence: number;
  readonly storedAtMs: number;
  readonly headers: Headers;
  readonly payload: Uint8Array;
}

/**
 * Which server of a cluster a message is read from: `any` that keeps the stream, which is quick, or its
 * `leader`. The others may be a moment behind: what was just stored would be read as not there.
 */
export type ReadFrom = 'any' | 'leader';

/** A message to read: the one at a place, or the last under a subject. */
type Which = { readonly stream: string } & (
  | { readonly sequence: number }
  | { readonly last: string }
);

/** What the leader answers (STREAM.MSG.GET); what the message holds is in base64. */
interface LeaderAnswer {
  readonly message?: {
    readonly subject: string;
    readonly seq: number;
    readonly hdrs?: string;
    readonly data?: string;
    readonly time: string;
  };
  readonly error?: ConstructorParameters<typeof JetStreamApiError>[0];
}

/** What a stream answers to a message that it is to store (PubAck), or why it does not. */
interface Answer {
  readonly seq?: number;
  readonly duplicate?: boolean;
  readonly error?: ConstructorParameters<typeof JetStreamApiError>[0];
}

/**
 * Stores a message in the stream that takes its subject.
 * @throws {JetStreamApiError} the stream refuses it
 * @throws {BusError}
 */
export async function storeMessage(
  messaging: NatsMessaging,
  message: WireMessage,
  timeoutMs: number,
): Promise<{ readonly sequence: number; readonly duplicate: boolean }> {
  const { payload } = await asked(messaging, message, timeoutMs);
  const { duplicate = false, error, seq } = JSON.parse(Buffer.from(payload).toString()) as Answer;
  if (error) throw new JetStreamApiError(error);
  if (seq === undefined) throw new BusError('unreachable', `${message.subject}: no PubAck`);
  return { sequence: seq, duplicate };
}

/**
 * Reads a message of a stream.
 * @returns undefined when there is none
 * @throws {JetStreamApiError} the server cannot say
 * @throws {BusError}
 */
export async function readMessage(
  messaging: NatsMessaging,
  which: Which & { readonly from: ReadFrom },
  timeoutMs: number,
): Promise<ReadMessage | undefined> {
  return which.from === 'leader'
    ? await readFromLeader(messaging, which, timeoutMs)
    : await readDirectly(messaging, which, timeoutMs);
}

async function readFromLeader(
  messaging: NatsMessaging,
  which: Which,
  timeoutMs: number,
): Promise<ReadMessage | undefined> {
  const query = 'last' in which ? { last_by_subj: which.last } : { seq: which.sequence };
  const request = {
    subject: `$JS.API.STREAM.MSG.GET.${which.stream}`,
    payload: Buffer.from(JSON.stringify(query)),
    headers: {},
  };
  const { payload } = await asked(messaging, request, timeoutMs);
  const { error, message } = JSON.parse(Buffer.from(payload).toString()) as LeaderAnswer;
  if (error?.code === notFound) return undefined;
  if (error) throw new JetStreamApiError(error);
  if (!message) throw new BusError('unreachable', `${request.subject}: answered with nothing`);
  const { data = '', hdrs = '', seq: sequence, subject, time } = message;
  return {
    ...{ subject, sequence, storedAtMs: Date.parse(time) },
    headers: hdrs === '' ? {} : readHeaders(Buffer.from(hdrs, 'base64')).headers,
    payload: Buffer.from(data, 'base64'),
  };
}

async function readDirectly(
  messaging: NatsMessaging,
  which: Which,
  timeoutMs: number,
): Promise<ReadMessage | undefined> {
  const base = `$JS.API.DIRECT.GET.${which.stream}`;
  const message =
    'last' in which
      ? { subject: `${base}.${which.last}`, payload: new Uint8Array(), headers: {} }
      : { subject: base, payload: Buffer.from(`{"seq":${which.sequence}}`), headers: {} };
  const found = await asked(messaging, message, timeoutMs);
  const { status } = found;
  if (status === notFound) return undefined;
  const sequence = Number(found.serverHeader('Nats-Sequence'));
  if (status !== undefined || !Number.isSafeInteger(sequence)) {
    throw new BusError(
      'unreachable',
      `${message.subject}: answered with ${status ?? 'no sequence'}`,
    );
  }
  return {
    subject: found.serverHeader('Nats-Subject') ?? '',
    sequence,
    storedAtMs: Date.parse(found.serverHeader('Nats-Time-Stamp') ?? ''),
    headers: found.headers,
    payload: found.payload,
  };
}

/** Nobody listens where JetStream is off, or not yet there again. */
async function asked(
  messaging: NatsMessaging,
  message: WireMessage,
  timeoutMs: number,
): Promise<NatsMessage> {
  try {
    return await messaging.ask(message, { timeoutMs });
  } catch (error) {
    if (!(error instanceof BusError && error.code === 'no_responders')) throw error;
    throw new BusError('unreachable', error.message, { cause: error });
  }
}
