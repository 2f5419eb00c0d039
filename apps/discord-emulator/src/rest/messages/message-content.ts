/** From a checked form to the fields of a message. */
import type { MessagePayload } from '../../core/payloads.ts';
import { ApiError, invalidForm } from '../api-error.ts';
import {
  type MessageCreateForm,
  type MessageEditForm,
  messageFlags,
} from '../forms/message-form.ts';
import type { UploadedFile } from '../request-body.ts';
import type { AttachmentStore } from './attachment-store.ts';
import type { MessagePatch } from './message-board.ts';
import type { MessageDraft } from './message-draft.ts';

/** Files of one message (docs: Create Message). */
const maxFiles = 10;

type NewContent = Pick<
  MessageDraft,
  | 'content'
  | 'embeds'
  | 'components'
  | 'attachments'
  | 'flags'
  | 'tts'
  | 'nonce'
  | 'allowedMentions'
>;

/**
 * What a new message says.
 * @param allowedFlags the flags that may be set here; others are an invalid form
 * @throws ApiError 50006 for a message that shows nothing, 50035
 */
export function newContent(
  form: MessageCreateForm,
  given: {
    readonly files: readonly UploadedFile[];
    readonly attachments: AttachmentStore;
    readonly allowedFlags: number;
  },
): NewContent {
  checkFiles(given.files, 0);
  const flags = form.flags ?? 0;
  if ((flags & ~given.allowedFlags) !== 0) throw badFlags();
  const content = form.content ?? '';
  const shows = [form.embeds, form.components, given.files].some((list) => (list?.length ?? 0) > 0);
  if (content === '' && !shows) throw new ApiError(50006);
  return {
    content,
    embeds: form.embeds ?? [],
    components: form.components ?? [],
    attachments: given.attachments.keep(given.files, form.attachments ?? []),
    flags,
    tts: form.tts ?? false,
    nonce: form.nonce ?? undefined,
    allowedMentions: form.allowed_mentions,
  };
}

/**
 * What an edit changes. An attachment stays unless the form lists attachments without it.
 * @throws ApiError 50006 when nothing would be left to show, 50035
 */
export function changedContent(
  message: MessagePayload,
  form: MessageEditForm,
  given: { readonly files: readonly UploadedFile[]; readonly attachments: AttachmentStore },
): MessagePatch {
  const listed = form.attachments?.map(({ id }) => id);
  const kept = message.attachments.filter(({ id }) => listed?.includes(String(id)) ?? true);
  checkFiles(given.files, kept.length);
  const attachments = [...kept, ...given.attachments.keep(given.files, form.attachments ?? [])];
  const settable = messageFlags.suppressEmbeds;
  const flags =
    (message.flags & ~settable & ~messageFlags.loading) | ((form.flags ?? 0) & settable);
  const patch: MessagePatch = {
    ...(form.content === undefined ? {} : { content: form.content ?? '' }),
    ...(form.embeds === undefined ? {} : { embeds: form.embeds ?? [] }),
    ...(form.components === undefined
      ? {}
      : { components: (form.components ?? []).map((row) => ({ ...row })) }),
    attachments,
    flags,
    allowedMentions: form.allowed_mentions,
  };
  const after = { ...message, ...patch };
  const shown = after.embeds.length + after.components.length + attachments.length;
  if (after.content === '' && shown === 0) throw new ApiError(50006);
  return patch;
}

function checkFiles(files: readonly UploadedFile[], kept: number): void {
  if (files.length + kept <= maxFiles) return;
  const message = `Must be ${maxFiles} or fewer in length.`;
  throw invalidForm({ field: 'attachments', code: 'BASE_TYPE_MAX_LENGTH', message });
}

function badFlags(): ApiError {
  const message = 'Value must not set other flags.';
  return invalidForm({ field: 'flags', code: 'BITFIELD_INVALID', message });
}
