/** A WebSocket that shows a channel as it happens: one JSON text frame an event. */
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { z } from 'zod';
import { isEphemeral, visibleTo } from '../rest/messages/message-draft.ts';
import type { ChannelEvent } from '../rest/messages/message-events.ts';
import type { Platform } from '../rest/platform.ts';
import { viewOf } from './message-view.ts';
import { PeopleError, parseInput } from './people-error.ts';
import { refuse } from './places.ts';

/** Two for each of a thousand people of a load test. */
const maxWatchers = 2_000;
/** Unsent bytes after which a watcher that does not read is cut off (close code 1013). */
const maxUnsentBytes = 1024 * 1024;

const watchQuery = z.strictObject({
  channelId: z.string(),
  /** Shows this person's ephemeral messages as well. */
  userId: z.string().optional(),
});

export class Watchers {
  readonly #platform: Platform;
  /** People only watch: what they send is bounded and ignored. */
  readonly #server = new WebSocketServer({ noServer: true, maxPayload: 1024 });

  readonly #bound: number;

  /** @param bound watchers at once; further ones are refused with 503 */
  constructor(platform: Platform, bound = maxWatchers) {
    this.#platform = platform;
    this.#bound = bound;
  }

  get count(): number {
    return this.#server.clients.size;
  }

  /** Takes over a socket that asks for `/people/watch`. @throws PeopleError, the socket untouched */
  accept(
    upgrade: { readonly request: IncomingMessage; readonly socket: Duplex; readonly head: Buffer },
    query: unknown,
  ): void {
    const { channelId, userId } = parseInput(watchQuery, query);
    if (!this.#platform.world.channel(channelId)) {
      const remedy = 'GET /people/guilds lists them';
      throw refuse('channelId', channelId, 'there is no such channel', remedy);
    }
    if (this.count >= this.#bound) {
      const problem = `${this.#bound} watchers at once are the most`;
      const remedy = 'close some';
      throw new PeopleError({ field: '', value: null, problem, remedy }, 503);
    }
    const { request, socket, head } = upgrade;
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      const watching = this.#platform.board.listen(channelId, (event) =>
        send(ws, { event, userId, botId: this.#platform.world.bot.id }),
      );
      ws.on('close', () => watching[Symbol.dispose]());
      // A broken connection is followed by its close.
      ws.on('error', () => ws.terminate());
    });
  }

  /** Closes every watcher with 1001. */
  close(): void {
    for (const ws of this.#server.clients) ws.close(1001);
    for (const ws of this.#server.clients) ws.terminate();
    this.#server.close();
  }
}

function send(
  ws: WebSocket,
  given: {
    readonly event: ChannelEvent;
    readonly userId: string | undefined;
    readonly botId: string;
  },
): void {
  const { event, userId, botId } = given;
  if (ws.bufferedAmount > maxUnsentBytes) {
    ws.close(1013, 'too slow');
    return;
  }
  if (event.kind === 'typing') {
    const { userId: who, atMs } = event;
    ws.send(JSON.stringify({ type: 'typing', userId: who, bot: who === botId, atMs }));
    return;
  }
  const { kind: type, message, atMs, answersTo } = event;
  const hidden = isEphemeral(message) && (userId === undefined || !visibleTo(message, userId));
  if (hidden) return;
  ws.send(JSON.stringify({ type, message: viewOf(message), answersTo: answersTo ?? null, atMs }));
}
