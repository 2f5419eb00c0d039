import type { ConsumerConfig, JetStreamManager } from '@nats-io/jetstream';
import { SimulatedClock } from '@starling/clock';
import type { Msg, NatsConnection } from 'nats';
import { NatsLink } from '../src/nats-link.ts';

type Deliver = (error: Error | null, message: Msg) => void;

/** As much of a NATS server as an ordered reading sees of one; the test says what it sends. */
export class FakeServer {
  readonly clock = new SimulatedClock();
  /** Subjects that were published to. */
  readonly published: string[] = [];
  /** Consumers as they were asked for, and those that were removed. */
  readonly consumers: Partial<ConsumerConfig>[] = [];
  readonly removed: string[] = [];
  readonly link: NatsLink;
  readonly manager: JetStreamManager;
  #deliver: Deliver | undefined;

  constructor(options: { readonly pending?: number; readonly refuses?: boolean } = {}) {
    const connection = {
      subscribe: (_inbox: string, { callback }: { callback: Deliver }) => {
        let closed = false;
        this.#deliver = callback;
        const unsubscribe = () => {
          closed = true;
        };
        return { isClosed: () => closed, unsubscribe };
      },
      publish: (subject: string) => this.published.push(subject),
      status: async function* () {},
      closed: () => new Promise(() => {}),
    };
    this.link = new NatsLink({
      connection: connection as unknown as NatsConnection,
      address: 'test',
      clock: this.clock,
    });
    this.manager = {
      consumers: {
        add: async (_stream: string, config: Partial<ConsumerConfig>) => {
          if (options.refuses) throw new Error('stream not found');
          this.consumers.push(config);
          return { name: `c${this.consumers.length}`, num_pending: options.pending ?? 0 };
        },
        delete: async (_stream: string, name: string) => {
          this.removed.push(name);
          return true;
        },
      },
    } as unknown as JetStreamManager;
  }

  /** A stored message: its place in the stream, in the consumer, and how many are behind it. */
  message(at: {
    readonly sequence: number;
    readonly consumer: number;
    readonly pending: number;
    readonly subject?: string;
  }): void {
    const { consumer, pending, sequence, subject = 's' } = at;
    const reply = `$JS.ACK.S.c.1.${sequence}.${consumer}.1700000000000000000.${pending}`;
    this.#deliver?.(null, received({ subject, reply, block: '' }));
  }

  /** A heartbeat with these headers, or flow control when it asks for a reply. */
  status(fields: Readonly<Record<string, string>>, reply?: string): void {
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    const block = `NATS/1.0 100 Idle Heartbeat\r\n${lines.join('')}\r\n`;
    this.#deliver?.(null, received({ subject: 'inbox', reply: reply ?? '', block }));
  }
}

/** A message as the client hands it on: its headers are bytes before its payload. */
function received(of: {
  readonly subject: string;
  readonly reply: string;
  readonly block: string;
}): Msg {
  const { block, reply, subject } = of;
  const bytes = Buffer.from(block);
  const hdr = bytes.byteLength > 0 ? bytes.byteLength : -1;
  return { subject, reply, data: new Uint8Array(), _msg: { hdr }, _rdata: bytes } as unknown as Msg;
}
