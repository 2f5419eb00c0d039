import type { Dispatcher } from 'undici';
import { AnswerReader } from './answer-reader.ts';

/** How one call ended. */
export type CallEnding =
  | { readonly kind: 'whole' | 'aborted' }
  | { readonly kind: 'failed'; readonly reason: string };

/** Told in this order; `ended` exactly once, and last. */
export interface CallObserver {
  status(code: number): void;
  firstToken(): void;
  ended(ending: CallEnding): void;
}

/** A call that is in flight. */
export interface ChatCall {
  /** Closes its connection, as a client that leaves. */
  abort(): void;
}

/** Ends of a reply kept to say what a failure was. */
const maxReasonLength = 200;

class ClientLeft extends Error {
  override readonly name = 'ClientLeft';
}

/** Sends one chat completion at once. */
export function startCall(
  dispatcher: Dispatcher,
  request: {
    readonly origin: string;
    readonly path: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly stream: boolean;
  },
  observer: CallObserver,
): ChatCall {
  const reader = new AnswerReader({ stream: request.stream });
  let controller: Dispatcher.DispatchController | undefined;
  let left = false;
  let over = false;
  let status = 0;
  let refusal = '';
  const end = (ending: CallEnding) => {
    if (over) return;
    over = true;
    observer.ended(ending);
  };
  const abort = () => {
    left = true;
    controller?.abort(new ClientLeft('the client left'));
  };
  dispatcher.dispatch(
    {
      origin: request.origin,
      path: request.path,
      method: 'POST',
      headers: request.headers,
      body: request.body,
    },
    {
      onRequestStart(given) {
        controller = given;
        if (left) abort();
      },
      onResponseStart(_controller, code) {
        status = code;
        observer.status(code);
      },
      onResponseData(_controller, chunk) {
        const piece = chunk.toString('latin1');
        if (status === 200) {
          if (reader.read(piece)) observer.firstToken();
        } else if (refusal.length < maxReasonLength) {
          refusal += piece.slice(0, maxReasonLength);
        }
      },
      onResponseEnd() {
        if (status === 200 && reader.whole) end({ kind: 'whole' });
        else if (status === 200) end({ kind: 'failed', reason: 'the answer is not whole' });
        else end({ kind: 'failed', reason: `${status} ${refusal}` });
      },
      onResponseError(_controller, error) {
        end(
          left || error instanceof ClientLeft
            ? { kind: 'aborted' }
            : { kind: 'failed', reason: error.message || error.name },
        );
      },
    },
  );
  return { abort };
}
