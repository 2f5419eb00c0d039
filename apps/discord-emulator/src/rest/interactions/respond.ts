/** The first response to an interaction (docs: "Create Interaction Response"). */
import { z } from 'zod';
import type { MessagePayload } from '../../core/payloads.ts';
import { invalidForm } from '../api-error.ts';
import {
  messageCreateForm,
  messageEditForm,
  messageFlags,
  responseFlags,
} from '../forms/message-form.ts';
import { parseForm } from '../forms/parse-form.ts';
import { changedContent, newContent } from '../messages/message-content.ts';
import type { Platform } from '../platform.ts';
import type { RequestBody } from '../request-body.ts';
import type { Interaction } from './interaction-book.ts';
import { interactionTypes } from './interaction-payload.ts';

/** Interaction callback types that are served. */
export const callbackTypes = {
  pong: 1,
  message: 4,
  deferredMessage: 5,
  deferredUpdate: 6,
  update: 7,
  modal: 9,
} as const;

const callbackForm = z.object({
  type: z.union(Object.values(callbackTypes).map((type) => z.literal(type))),
  data: z.unknown().optional(),
});
const deferForm = z.object({ flags: z.number().int().nullish() }).nullish();
const modalForm = z.object({
  custom_id: z.string().min(1).max(100),
  title: z.string().min(1).max(45),
  components: z.array(z.record(z.string(), z.unknown())).min(1).max(5),
});

/** What came of a callback. */
export interface CallbackOutcome {
  readonly interaction: Interaction;
  readonly callbackType: number;
  /** The message that was created or changed. */
  readonly message?: MessagePayload;
}

/**
 * Carries out a callback. A form that is wrong leaves the interaction waiting, as at Discord.
 * @throws ApiError 10062, 40060, 50006, 50035
 */
export function respond(
  platform: Platform,
  call: { readonly id: string; readonly token: string; readonly body: RequestBody },
): CallbackOutcome {
  const interaction = platform.interactions.unacknowledged(call);
  const { type, data } = parseForm(callbackForm, call.body.json);
  const respondWith = { interaction, callbackType: type };
  switch (type) {
    case callbackTypes.pong:
      platform.interactions.acknowledge(interaction, { callbackType: type });
      return respondWith;
    case callbackTypes.message: {
      const form = parseForm(messageCreateForm, data);
      const allowedFlags = responseFlags;
      const { files } = call.body;
      const content = newContent(form, { files, attachments: platform.attachments, allowedFlags });
      return { ...respondWith, message: post(platform, interaction, { content, type }) };
    }
    case callbackTypes.deferredMessage: {
      const flags = parseForm(deferForm, data)?.flags ?? 0;
      if ((flags & ~messageFlags.ephemeral) !== 0) {
        const message = 'Only EPHEMERAL can be set on a deferred response.';
        throw invalidForm({ field: 'data.flags', code: 'BITFIELD_INVALID', message });
      }
      const content = { content: '', flags: flags | messageFlags.loading };
      return { ...respondWith, message: post(platform, interaction, { content, type }) };
    }
    case callbackTypes.deferredUpdate: {
      const source = sourceOf(interaction);
      platform.interactions.acknowledge(interaction, {
        callbackType: type,
        responseId: source.id,
      });
      platform.interactions.promise(interaction, source.id);
      return respondWith;
    }
    case callbackTypes.update: {
      const source = platform.board.get(interaction.cause.channel.id, sourceOf(interaction).id);
      if (!source) throw notForThis();
      const form = parseForm(messageEditForm, data ?? {});
      const { attachments } = platform;
      const patch = changedContent(source, form, { files: call.body.files, attachments });
      platform.interactions.acknowledge(interaction, {
        callbackType: type,
        responseId: source.id,
      });
      const interactionId = interaction.id;
      return { ...respondWith, message: platform.board.edit(source, patch, { interactionId }) };
    }
    case callbackTypes.modal: {
      const modal = parseForm(modalForm, data);
      platform.interactions.acknowledge(interaction, { callbackType: type, modal });
      return respondWith;
    }
  }
}

function post(
  platform: Platform,
  interaction: Interaction,
  given: {
    readonly content: Omit<Parameters<Platform['board']['post']>[0], 'channel' | 'author'>;
    readonly type: number;
  },
): MessagePayload {
  const { message } = platform.board.post({
    ...given.content,
    channel: interaction.cause.channel,
    author: platform.world.bot,
    interaction: interaction.origin,
  });
  platform.interactions.acknowledge(interaction, {
    callbackType: given.type,
    responseId: message.id,
  });
  return message;
}

function sourceOf(interaction: Interaction): MessagePayload {
  const source = interaction.cause.message;
  if (interaction.cause.type !== interactionTypes.component || !source) throw notForThis();
  return source;
}

function notForThis() {
  const message = 'This response is not possible for this interaction.';
  return invalidForm({ field: 'type', code: 'INTERACTION_RESPONSE_INVALID', message });
}
