/**
 * The Stop button of an answer. All that a press needs stands in its custom_id, so that any process
 * understands it, also one that was started after the answer: which job, and who asked. Discord hands
 * back only ids that the message has, and only we write those
 * (discord.com/developers/docs/components/reference#button).
 */
import { type JobId, jobId, type UserId, userId } from '@starling/contracts';
import {
  type APIMessageTopLevelComponent,
  ButtonStyle,
  ComponentType,
} from 'discord-api-types/v10';

/** Whose answer a button stops. */
export interface StopTarget {
  readonly jobId: JobId;
  /** Who asked, and may press it. */
  readonly asker: UserId;
}

const prefix = 'stop';

/** At most 90 characters; Discord takes 100. */
export function stopButtonId({ asker, jobId: job }: StopTarget): string {
  return `${prefix}:${job}:${asker}`;
}

/** What a custom_id of {@link stopButtonId} stops; undefined for any other. */
export function stopTargetOf(customId: string): StopTarget | undefined {
  const [kind, job, asker, ...rest] = customId.split(':');
  const parsed = { jobId: jobId.safeParse(job), asker: userId.safeParse(asker) };
  if (kind !== prefix || rest.length > 0 || !parsed.jobId.success || !parsed.asker.success) {
    return undefined;
  }
  return { jobId: parsed.jobId.data, asker: parsed.asker.data };
}

/** The components of a message: the button, or none, which takes away what was there. */
export function stopComponents(target: StopTarget | undefined): APIMessageTopLevelComponent[] {
  if (!target) return [];
  const button = {
    type: ComponentType.Button,
    style: ButtonStyle.Secondary,
    label: 'Stop',
    custom_id: stopButtonId(target),
  } as const;
  return [{ type: ComponentType.ActionRow, components: [button] }];
}
