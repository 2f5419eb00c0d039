import type { ServerResponse } from 'node:http';
import type { Clock } from '@starling/clock';
import type { Step } from './reply-steps.ts';

/** How the sending of a reply ended: whole, by a fault, or because the client closed first. */
export type Ending = 'complete' | 'cut' | 'reset' | 'aborted';

/** Told while a reply is sent. `ended` comes exactly once, and last. */
export interface SendObserver {
  head(status: number): void;
  bytes(tokens: number): void;
  ended(ending: Ending): void;
}

/** Node cannot time less than this; what is due sooner is sent at once. */
const shortestTimerMs = 1;

/**
 * Sends the steps over the response: each when it is due counted from the one before (a late timer is
 * not added up), no faster than the client reads (one write waits for `drain` before the next), and
 * stops at the moment the client closes. One timer is armed at most.
 */
export function sendReply(
  clock: Clock,
  response: ServerResponse,
  steps: Iterable<Step>,
  observer: SendObserver,
): void {
  const iterator = steps[Symbol.iterator]();
  let dueMs = clock.monotonicMs();
  let timer: Disposable | undefined;
  let headWaiting = false;
  let over = false;

  const finish = (ending: Ending) => {
    if (over) return;
    over = true;
    timer?.[Symbol.dispose]();
    iterator.return?.();
    observer.ended(ending);
  };

  const run = () => {
    while (!over) {
      const { value: step, done } = iterator.next();
      if (done) return end('complete', () => response.end());
      switch (step.kind) {
        case 'wait': {
          dueMs += step.ms;
          const leftMs = dueMs - clock.monotonicMs();
          if (leftMs < shortestTimerMs) break;
          if (headWaiting) {
            headWaiting = false;
            response.flushHeaders();
          }
          timer = clock.schedule(leftMs, run);
          return;
        }
        case 'head':
          response.writeHead(step.status, step.headers);
          headWaiting = true;
          observer.head(step.status);
          break;
        case 'bytes': {
          headWaiting = false;
          const more = response.write(step.data);
          observer.bytes(step.tokens);
          if (!more) {
            response.once('drain', run);
            return;
          }
          break;
        }
        case 'end':
          return end('complete', () => response.end());
        case 'cut':
          return end('cut', () => response.socket?.destroySoon());
        case 'reset':
          return end('reset', () => response.socket?.resetAndDestroy());
      }
    }
  };
  const end = (ending: Ending, act: () => void) => {
    finish(ending);
    act();
  };

  response.once('close', () => finish('aborted'));
  response.on('error', () => finish('aborted'));
  run();
}
