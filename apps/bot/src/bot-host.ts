import { nodeHost, type ProcessHost, type StopCause } from '@starling/lifecycle';

/** A process host that can be told of a fault, and that a child's closed channel does not end. */
export interface BotHost {
  readonly host: ProcessHost;
  /** Ends the process in order, as an error that nobody caught does. */
  fail(error: unknown): void;
}

/**
 * `discord-hybrid-sharding` drops the promise of each send, so a child that dies at that moment shows
 * as a rejection that nobody caught (facts §1.3, defect 1). The child's exit tells the same; this
 * process goes on. Every other such error ends it.
 */
export function botHost(inner: ProcessHost = nodeHost): BotHost {
  let tell: ((cause: StopCause) => void) | undefined;
  return {
    host: {
      ...inner,
      onStop(listener) {
        tell = listener;
        return inner.onStop((cause) => {
          if (cause.kind === 'fault' && isClosedChannel(cause.error)) return;
          listener(cause);
        });
      },
    },
    fail: (error) => tell?.({ kind: 'fault', error }),
  };
}

function isClosedChannel(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ERR_IPC_CHANNEL_CLOSED' || code === 'EPIPE';
}
