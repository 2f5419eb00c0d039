/**
 * Interactions and how far each has come (docs: Receiving and Responding). A first response is due
 * within three seconds, once; the token then serves follow-ups for fifteen minutes.
 */
import type { Clock, Random } from '@starling/clock';
import type { KnobStore } from '../../core/knobs.ts';
import type { Dispatcher, RecordKeeper } from '../../core/ports.ts';
import type { World } from '../../core/world.ts';
import { ApiError } from '../api-error.ts';
import { BoundedMap } from '../messages/bounded-map.ts';
import type { InteractionOrigin } from '../messages/message-draft.ts';
import {
  type InteractionCause,
  interactionMetadata,
  interactionPayload,
} from './interaction-payload.ts';

/** How far the bot has come. */
export type InteractionState =
  | { readonly kind: 'waiting' }
  | {
      readonly kind: 'acknowledged';
      /** Interaction callback type of the first response. */
      readonly callbackType: number;
      /** The message that `@original` names. */
      readonly responseId?: string | undefined;
      /** The modal of a callback of type 9. */
      readonly modal?: Readonly<Record<string, unknown>> | undefined;
    };

export interface Interaction {
  readonly id: string;
  readonly cause: InteractionCause;
  /** Names the interaction in messages that respond to it. */
  readonly origin: InteractionOrigin;
  /** Monotonic milliseconds. */
  readonly createdMs: number;
  readonly state: InteractionState;
}

/** Interactions remembered; the oldest goes and its token is then unknown (10015). */
const maxInteractions = 50_000;

/** Deferred responses that wait for a change of one message; the oldest is then never answered by it. */
const maxPromises = 100;

export interface InteractionParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly world: World;
  readonly knobs: KnobStore;
  readonly dispatcher: Dispatcher;
  readonly keeper: RecordKeeper;
}

/** How far the bot has come once it has responded. */
export type Acknowledged = Extract<InteractionState, { kind: 'acknowledged' }>;

export class InteractionBook {
  readonly #parts: InteractionParts;
  readonly #byId = new BoundedMap<string, Interaction>(() => maxInteractions);
  readonly #idByToken = new BoundedMap<string, string>(() => maxInteractions);
  /** Message → interactions that were deferred with a change of it. */
  readonly #promised = new BoundedMap<string, readonly string[]>(() => maxInteractions);

  constructor(parts: InteractionParts) {
    this.#parts = parts;
  }

  /** A person acts: the bot is told and now owes a response. */
  create(cause: InteractionCause): Interaction {
    const { world, clock, dispatcher, keeper } = this.#parts;
    const id = world.snowflakes.next();
    const token = this.#newToken(id);
    const origin = { id, token, metadata: interactionMetadata({ ...cause, id }) };
    const interaction: Interaction = {
      id,
      cause,
      origin,
      createdMs: clock.monotonicMs(),
      state: { kind: 'waiting' },
    };
    this.#byId.set(id, interaction);
    this.#idByToken.set(token, id);
    const guild = cause.channel.type === 1 ? {} : { guildId: cause.channel.guild_id };
    const owners = dispatcher.dispatch({
      name: 'INTERACTION_CREATE',
      ...guild,
      intents: 0,
      data: interactionPayload(world, { ...cause, id, token }),
    });
    keeper.addressed({
      kind: 'interaction',
      id,
      channelId: cause.channel.id,
      ...guild,
      userId: cause.user.id,
      atMs: clock.nowMs(),
      owners,
    });
    return interaction;
  }

  get(id: string): Interaction | undefined {
    return this.#byId.get(id);
  }

  /** Whether the time for a first response has passed without one. */
  isExpired(interaction: Interaction): boolean {
    return interaction.state.kind === 'waiting' && this.ackRemainingMs(interaction) <= 0;
  }

  /** Milliseconds left for the first response. */
  ackRemainingMs(interaction: Interaction): number {
    const { clock, knobs } = this.#parts;
    return interaction.createdMs + knobs.current.interactionAckMs - clock.monotonicMs();
  }

  /**
   * The interaction that a callback is for.
   * @throws ApiError 10062 unknown, wrong token or too late; 40060 responded to before
   */
  unacknowledged({ id, token }: { readonly id: string; readonly token: string }): Interaction {
    const interaction = this.#byId.get(id);
    if (interaction?.origin.token !== token) throw new ApiError(10062);
    if (interaction.state.kind === 'acknowledged') throw new ApiError(40060);
    if (this.isExpired(interaction)) throw new ApiError(10062);
    return interaction;
  }

  /** Notes the first response. */
  acknowledge(interaction: Interaction, state: Omit<Acknowledged, 'kind'>): void {
    this.#byId.set(interaction.id, { ...interaction, state: { kind: 'acknowledged', ...state } });
  }

  /** The bot deferred its response: it will change this message, by whichever route. */
  promise(interaction: Interaction, messageId: string): void {
    const before = this.#promised.get(messageId) ?? [];
    this.#promised.set(messageId, [...before, interaction.id].slice(-maxPromises));
  }

  /** A message was changed or removed. @returns the interactions that this responds to, each once */
  keepPromises(messageId: string): readonly string[] {
    const kept = this.#promised.get(messageId) ?? [];
    this.#promised.delete(messageId);
    return kept;
  }

  /**
   * The interaction of a webhook token, once it has been responded to.
   * @throws ApiError 10015 for a token that is unknown or not responded to, 50027 after 15 minutes
   */
  byToken(token: string): Interaction & { readonly state: Acknowledged } {
    const { clock, knobs } = this.#parts;
    const interaction = this.#byId.get(this.#idByToken.get(token) ?? '');
    if (interaction?.state.kind !== 'acknowledged') throw new ApiError(10015);
    if (clock.monotonicMs() - interaction.createdMs > knobs.current.interactionTokenMs) {
      throw new ApiError(50027);
    }
    return { ...interaction, state: interaction.state };
  }

  /** The form of Discord's: base64 of the interaction's id and something random. */
  #newToken(id: string): string {
    const random = Array.from({ length: 8 }, () =>
      this.#parts.random.integer(0x100000000).toString(16).padStart(8, '0'),
    ).join('');
    return Buffer.from(`interaction:${id}:${random}`).toString('base64url');
  }
}
