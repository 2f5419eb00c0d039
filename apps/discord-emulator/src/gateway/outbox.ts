import type { Clock } from '@starling/clock';
import { opcodes } from './opcodes.ts';
import type { LoggedEvent } from './replay-buffer.ts';
import type { Session } from './session.ts';

/** Where frames go. */
export interface FrameSink {
  /** Bytes taken and not yet on the wire. */
  readonly unsentBytes: number;
  /** `flushed` is called when the frame has left, or failed. */
  send(frame: string, flushed?: () => void): void;
}

/** Sends a session's log over one connection, in order, from one place on. */
export interface Outbox {
  /** Sends what is new, as far as the reader keeps up. */
  flush(): void;
  /** Sends nothing for so long. */
  hold(delayMs: number): void;
  stop(): void;
}

/**
 * The log is the only queue: a connection is a cursor into it, and waits at `maxUnsentBytes` for its
 * reader. When the log's bound overtakes the cursor, events are lost to this client: `onOverrun`.
 */
export function createOutbox(parts: {
  readonly clock: Clock;
  readonly session: Session;
  readonly sink: FrameSink;
  /** The sequence number that the client has already. */
  readonly afterSeq: number;
  readonly maxUnsentBytes: () => number;
  readonly onSent: (event: LoggedEvent) => void;
  readonly onOverrun: () => void;
}): Outbox {
  const { log } = parts.session;
  let cursor = parts.afterSeq;
  let stopped = false;
  let waiting = false;
  let held: Disposable | undefined;

  function flush(): void {
    while (!stopped && !held && !waiting && cursor < log.lastSeq) {
      const event = log.get(cursor + 1);
      if (!event) {
        stopped = true;
        parts.onOverrun();
        return;
      }
      cursor += 1;
      const body = typeof event.body === 'string' ? event.body : event.body();
      const frame = `{"t":"${event.name}","s":${event.seq},"op":${opcodes.dispatch},"d":${body}}`;
      if (parts.sink.unsentBytes + frame.length < parts.maxUnsentBytes()) {
        parts.sink.send(frame);
      } else {
        waiting = true;
        parts.sink.send(frame, () => {
          waiting = false;
          flush();
        });
      }
      parts.onSent(event);
    }
  }

  return {
    flush,
    hold(delayMs) {
      held = parts.clock.schedule(delayMs, () => {
        held = undefined;
        flush();
      });
    },
    stop() {
      stopped = true;
      held?.[Symbol.dispose]();
    },
  };
}
