/**
 * Answers to interactions, by the token that each of them brings: the bot token has no part in them,
 * and neither has the limit on the bot's calls
 * (discord.com/developers/docs/interactions/receiving-and-responding).
 */
import type { InternalRequest, REST } from '@discordjs/rest';
import { RequestMethod } from '@discordjs/rest';
import { InteractionResponseType, MessageFlags, Routes } from 'discord-api-types/v10';
import type { InteractionHandle } from './interaction-create.ts';
import { SendError, sendErrorFrom } from './send-error.ts';

/** Words that only the person who acted sees. */
const toThemAlone = { flags: MessageFlags.Ephemeral, allowed_mentions: { parse: [] } } as const;

/** Every method throws {@link SendError} and nothing else. The first answer is due within three seconds. */
export class InteractionResponder {
  readonly #rest: Pick<REST, 'queueRequest'>;

  constructor(rest: Pick<REST, 'queueRequest'>) {
    this.#rest = rest;
  }

  /** First answer: the press was seen, and the message will change. */
  async acknowledge(interaction: InteractionHandle): Promise<void> {
    await this.#answer(interaction, { type: InteractionResponseType.DeferredMessageUpdate });
  }

  /** First answer: words to that person alone. */
  async reply(interaction: InteractionHandle, content: string): Promise<void> {
    const type = InteractionResponseType.ChannelMessageWithSource;
    await this.#answer(interaction, { type, data: { content, ...toThemAlone } });
  }

  /** First answer to one who is typing: nothing to choose from. */
  async suggestNothing(interaction: InteractionHandle): Promise<void> {
    const type = InteractionResponseType.ApplicationCommandAutocompleteResult;
    await this.#answer(interaction, { type, data: { choices: [] } });
  }

  /** After {@link acknowledge}: words to that person alone. */
  async followUp({ applicationId, token }: InteractionHandle, content: string): Promise<void> {
    await this.#call({
      method: RequestMethod.Post,
      fullRoute: Routes.webhook(applicationId, token),
      body: { content, ...toThemAlone },
    });
  }

  /** After {@link acknowledge}: takes the buttons off the message that was pressed. */
  async clearButtons({ applicationId, token }: InteractionHandle): Promise<void> {
    await this.#call({
      method: RequestMethod.Patch,
      fullRoute: Routes.webhookMessage(applicationId, token, '@original'),
      body: { components: [] },
    });
  }

  async #answer({ id, token }: InteractionHandle, body: object): Promise<void> {
    const fullRoute = Routes.interactionCallback(id, token);
    await this.#call({ method: RequestMethod.Post, fullRoute, body });
  }

  async #call(request: InternalRequest): Promise<void> {
    try {
      const response = await this.#rest.queueRequest({ ...request, auth: false });
      await response.arrayBuffer();
    } catch (cause) {
      // Not handed on: it holds the address, and so the token.
      const { fault, message } = sendErrorFrom(cause);
      throw new SendError(fault, message);
    }
  }
}
