import type { MessagePayload } from '../../core/payloads.ts';

/** What happens in a channel, as those who watch it see it. */
export type ChannelEvent =
  | {
      readonly kind: 'created' | 'edited' | 'deleted';
      readonly message: MessagePayload;
      readonly atMs: number;
      /** The message or interaction that a bot's message answers. */
      readonly answersTo?: string | undefined;
    }
  | {
      readonly kind: 'typing';
      readonly channelId: string;
      readonly userId: string;
      readonly atMs: number;
    };

/** Called once for each event, in order, while the change is made: it must not throw or wait. */
export type ChannelListener = (event: ChannelEvent) => void;

/** Listeners by channel: an event costs only those who watch that channel. */
export class ChannelListeners {
  readonly #byChannel = new Map<string, Set<ChannelListener>>();
  readonly #everywhere = new Set<ChannelListener>();

  /** Listens to one channel, or to all. */
  add(channelId: string | undefined, listener: ChannelListener): Disposable {
    const listeners =
      channelId === undefined
        ? this.#everywhere
        : (this.#byChannel.get(channelId) ?? new Set<ChannelListener>());
    listeners.add(listener);
    if (channelId !== undefined) this.#byChannel.set(channelId, listeners);
    return {
      [Symbol.dispose]: () => {
        listeners.delete(listener);
        if (channelId !== undefined && listeners.size === 0) this.#byChannel.delete(channelId);
      },
    };
  }

  emit(event: ChannelEvent): void {
    const channelId = event.kind === 'typing' ? event.channelId : event.message.channel_id;
    for (const listener of this.#everywhere) listener(event);
    for (const listener of [...(this.#byChannel.get(channelId) ?? [])]) listener(event);
  }
}
