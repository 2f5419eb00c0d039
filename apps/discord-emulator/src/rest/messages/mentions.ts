/** Who a text pings (docs: Message, "Allowed Mentions Object"). */
import type { AllowedMentionsForm } from '../forms/message-form.ts';

/** What a content names, and what of it may ping. */
export interface Mentions {
  readonly userIds: readonly string[];
  readonly roleIds: readonly string[];
  readonly everyone: boolean;
}

/** A message mentions at most so many; more are not parsed (docs: 100 ids a list). */
const maxMentions = 100;

const idsIn = (content: string, pattern: RegExp): string[] => [
  ...new Set([...content.matchAll(pattern)].map((match) => match[1] ?? '')),
];

/**
 * The pings of a message. Without `allowed` everything that the content names pings; with it only the
 * kinds in `parse` and the ids listed do.
 * @param repliedTo author of the message that this one answers; pings unless `replied_user` is false
 */
export function mentionsOf(options: {
  readonly content: string;
  readonly allowed?: AllowedMentionsForm | null | undefined;
  readonly repliedTo?: string | undefined;
}): Mentions {
  const { content, allowed, repliedTo } = options;
  const admits = (kind: 'users' | 'roles', id: string) =>
    !allowed || allowed.parse?.includes(kind) === true || allowed[kind]?.includes(id) === true;
  const users = idsIn(content, /<@!?(\d{17,20})>/g).filter((id) => admits('users', id));
  const roles = idsIn(content, /<@&(\d{17,20})>/g).filter((id) => admits('roles', id));
  const pingsAuthor = repliedTo !== undefined && (allowed ? allowed.replied_user === true : true);
  if (pingsAuthor && !users.includes(repliedTo)) users.push(repliedTo);
  const namesEveryone = /@(everyone|here)\b/.test(content);
  return {
    userIds: users.slice(0, maxMentions),
    roleIds: roles.slice(0, maxMentions),
    everyone: namesEveryone && (!allowed || allowed.parse?.includes('everyone') === true),
  };
}
