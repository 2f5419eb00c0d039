import type { ConsumerConfig, JetStreamManager } from '@nats-io/jetstream';
import { SimulatedClock } from '@starling/clock';
import { type Msg, type NatsConnection, headers as natsHeaders } from 'nats';
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
  /** What the stream says of itself. */
  stream = { created: 'then', state: { last_seq: 0 } };
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
      streams: { info: async () => this.stream },
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
    this.#deliver?.(null, { subject, reply, data: new Uint8Array() } as Msg);
  }

  /** A heartbeat with these headers, or flow control when it asks for a reply. */
  status(fields: Readonly<Record<string, string>>, reply?: string): void {
    const headers = natsHeaders(100, 'Idle Heartbeat');
    for (const [name, value] of Object.entries(fields)) headers.set(name, value);
    this.#deliver?.(null, { headers, ...(reply !== undefined && { reply }) } as Msg);
  }
}
