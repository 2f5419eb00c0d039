/** Interaction callbacks, and the webhook by which a response is completed and followed up. */
import type { MessagePayload } from '../../core/payloads.ts';
import { ApiError } from '../api-error.ts';
import { messageCreateForm, messageEditForm, responseFlags } from '../forms/message-form.ts';
import { parseForm } from '../forms/parse-form.ts';
import type { Acknowledged, Interaction } from '../interactions/interaction-book.ts';
import { type CallbackOutcome, callbackTypes, respond } from '../interactions/respond.ts';
import { changedContent, newContent } from '../messages/message-content.ts';
import { isEphemeral, isLoading } from '../messages/message-draft.ts';
import type { Platform } from '../platform.ts';
import type { Route, RouteCall } from '../router.ts';

type Responded = Interaction & { readonly state: Acknowledged };

/** All of them prove themselves by the token in the path and are exempt from the global limit. */
export function interactionRoutes(platform: Platform): Route[] {
  const { board, interactions, keeper, clock } = platform;
  const exempt = { auth: 'none', exemptFromGlobal: true } as const;
  const webhook = '/webhooks/:applicationId/:webhookToken';
  const one = `${webhook}/messages/:messageId`;

  /** A wrong form leaves the interaction waiting, so only other outcomes are the record's concern. */
  const respondOnce = (call: Parameters<typeof respond>[1]): CallbackOutcome => {
    const acknowledged = () => keeper.acknowledged({ interactionId: call.id, atMs: clock.nowMs() });
    try {
      const outcome = respond(platform, call);
      acknowledged();
      return outcome;
    } catch (error) {
      if (error instanceof ApiError && (error.code === 40060 || error.code === 10062)) {
        acknowledged();
      }
      throw error;
    }
  };
  const interactionOf = ({ params }: RouteCall): Responded => {
    if (params.applicationId !== platform.world.application.id) throw new ApiError(10015);
    return interactions.byToken(params.webhookToken ?? '');
  };
  const messageOf = (interaction: Responded, { params }: RouteCall): MessagePayload => {
    const { responseId } = interaction.state;
    const original = params.messageId === '@original' || params.messageId === responseId;
    const id = original ? responseId : params.messageId;
    const message = board.get(interaction.cause.channel.id, id ?? '');
    const own = original || message?.interaction_metadata?.id === interaction.id;
    if (!message || !own) throw new ApiError(10008);
    return message;
  };

  return [
    {
      ...exempt,
      method: 'POST',
      template: '/interactions/:interactionId/:interactionToken/callback',
      family: 'otherRoutes',
      handle({ params, query, body }) {
        const { interactionId: id = '', interactionToken: token = '' } = params;
        const outcome = respondOnce({ id, token, body });
        if (query.get('with_response') !== 'true') return { status: 204 };
        return { status: 200, body: callbackBody(outcome) };
      },
    },
    {
      ...exempt,
      method: 'POST',
      template: webhook,
      family: 'messagesPerChannel',
      handle: (call) => ({ status: 200, body: followUp(platform, interactionOf(call), call) }),
    },
    {
      ...exempt,
      method: 'GET',
      template: one,
      family: 'otherRoutes',
      handle: (call) => ({ status: 200, body: messageOf(interactionOf(call), call) }),
    },
    {
      ...exempt,
      method: 'PATCH',
      template: one,
      family: 'editsPerChannel',
      handle(call) {
        const interaction = interactionOf(call);
        const message = messageOf(interaction, call);
        return { status: 200, body: change(platform, { interaction, message, call }) };
      },
    },
    {
      ...exempt,
      method: 'DELETE',
      template: one,
      family: 'deletesPerChannel',
      handle(call) {
        board.remove(messageOf(interactionOf(call), call));
        return { status: 204 };
      },
    },
  ];
}

function change(
  platform: Platform,
  given: {
    readonly interaction: Responded;
    readonly message: MessagePayload;
    readonly call: RouteCall;
  },
): MessagePayload {
  const { interaction, message, call } = given;
  const form = parseForm(messageEditForm, call.body.json);
  const { files } = call.body;
  const patch = changedContent(message, form, { files, attachments: platform.attachments });
  const { callbackType, responseId } = interaction.state;
  const responds = callbackType === callbackTypes.deferredUpdate && message.id === responseId;
  return platform.board.edit(message, patch, responds ? { interactionId: interaction.id } : {});
}

/** The first follow-up after a deferral completes the "is thinking…" message (docs: Followup). */
function followUp(platform: Platform, interaction: Responded, call: RouteCall): MessagePayload {
  const { callbackType, responseId } = interaction.state;
  const original = platform.board.get(interaction.cause.channel.id, responseId ?? '');
  if (callbackType === callbackTypes.deferredMessage && original && isLoading(original)) {
    return change(platform, { interaction, message: original, call });
  }
  const form = parseForm(messageCreateForm, call.body.json);
  const { files } = call.body;
  const allowedFlags = responseFlags;
  const content = newContent(form, { files, attachments: platform.attachments, allowedFlags });
  const { message } = platform.board.post({
    ...content,
    channel: interaction.cause.channel,
    author: platform.world.bot,
    interaction: interaction.origin,
  });
  return message;
}

/** `with_response` (docs: "Interaction Callback Response Object"). */
function callbackBody({ interaction, callbackType, message }: CallbackOutcome) {
  const { channel } = interaction.cause;
  return {
    interaction: {
      id: interaction.id,
      type: interaction.cause.type,
      channel_id: channel.id,
      ...(channel.type === 1 ? {} : { guild_id: channel.guild_id }),
      ...(message
        ? {
            response_message_id: message.id,
            response_message_loading: isLoading(message),
            response_message_ephemeral: isEphemeral(message),
          }
        : {}),
    },
    ...(message ? { resource: { type: callbackType, message } } : {}),
  };
}
