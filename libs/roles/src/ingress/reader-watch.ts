import type { ServerResponse } from 'node:http';

interface Watched {
  /** Bytes that the system had taken when it last took some. */
  taken: number;
  sinceMs: number;
}

/** Finds callers that no longer take what is sent to them. As many as there are requests in hand. */
export class ReaderWatch {
  readonly #stallMs: number;
  readonly #watched = new Map<ServerResponse, Watched>();

  /** @param stallMs how long a caller may take nothing while something waits for it */
  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** Watches a response until it is closed. */
  watch(response: ServerResponse, nowMs: number): void {
    this.#watched.set(response, { taken: 0, sinceMs: nowMs });
    response.once('close', () => this.#watched.delete(response));
  }

  /** Those that have stalled. */
  stalled(nowMs: number): readonly ServerResponse[] {
    const stalled: ServerResponse[] = [];
    for (const [response, watched] of this.#watched) {
      const { socket } = response;
      const waiting = socket?.writableLength ?? 0;
      const taken = (socket?.bytesWritten ?? 0) - waiting;
      if (waiting === 0 || taken !== watched.taken) {
        watched.taken = taken;
        watched.sinceMs = nowMs;
      } else if (nowMs - watched.sinceMs > this.#stallMs) {
        stalled.push(response);
      }
    }
    return stalled;
  }
}
