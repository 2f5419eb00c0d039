/** A gateway client with no opinions, for saying what a library never would. */
import { WebSocket } from 'ws';

export interface Frame {
  readonly op: number;
  readonly d?: Readonly<Record<string, unknown>> | boolean | null;
  readonly s?: number | null;
  readonly t?: string | null;
}

export interface RawClient {
  /** Everything received, in order. */
  readonly frames: readonly Frame[];
  /** Names of received dispatches, in order. */
  readonly events: readonly (string | null | undefined)[];
  /** The last sequence number seen. */
  readonly seq: number;
  /** Resolves with the first frame, also an earlier one, that passes. */
  frame(wanted: (frame: Frame) => boolean): Promise<Frame>;
  event(name: string): Promise<Frame>;
  /** Resolves once so many dispatches of that name have come. */
  eventCount(name: string, count: number): Promise<void>;
  send(op: number, d?: unknown): void;
  sendText(text: string): void;
  /** Resolves with code and reason once the connection has ended. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
  close(code: number): void;
  /** Ends without a close frame. */
  terminate(): void;
}

export async function connectRaw(url: string): Promise<RawClient> {
  const socket = new WebSocket(`${url}?v=10&encoding=json`);
  const frames: Frame[] = [];
  const counts = new Map<string, number>();
  const waiting = new Set<(frame: Frame) => void>();
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.on('close', (code, reason) => resolve({ code, reason: reason.toString() }));
  });
  socket.on('message', (data) => {
    const frame = JSON.parse(String(data)) as Frame;
    frames.push(frame);
    if (frame.t) counts.set(frame.t, (counts.get(frame.t) ?? 0) + 1);
    for (const look of waiting) look(frame);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});

  const frame = (wanted: (frame: Frame) => boolean): Promise<Frame> =>
    new Promise((resolve, reject) => {
      const earlier = frames.find(wanted);
      if (earlier) {
        resolve(earlier);
        return;
      }
      const look = (arrived: Frame) => {
        if (!wanted(arrived)) return;
        waiting.delete(look);
        resolve(arrived);
      };
      waiting.add(look);
      void closed.then(({ code }) => {
        waiting.delete(look);
        reject(new Error(`closed with ${code} before the frame came`));
      });
    });

  return {
    frames,
    get events() {
      return frames.filter(({ op }) => op === 0).map(({ t }) => t);
    },
    get seq() {
      return frames.reduce((last, { s }) => Math.max(last, s ?? 0), 0);
    },
    frame,
    event: (name) => frame(({ t }) => t === name),
    async eventCount(name, count) {
      if (count > 0) await frame(() => (counts.get(name) ?? 0) >= count);
    },
    send: (op, d = null) => socket.send(JSON.stringify({ op, d })),
    sendText: (text) => socket.send(text),
    closed,
    close: (code) => socket.close(code),
    terminate: () => socket.terminate(),
  };
}
