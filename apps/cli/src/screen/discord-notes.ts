import { botSection, type ConfigOf, type Environment, parseConfig } from '@starling/config';
import { z } from 'zod';

const application = z.object({ id: z.string(), name: z.string(), flags: z.int().optional() });

/**
 * Application flags that stand for the message-content intent, granted or limited
 * (discord.com/developers/docs/resources/application#application-object-application-flags).
 */
const messageContentFlags = (1 << 18) | (1 << 19);

/**
 * View Channels, Send Messages, Send Messages in Threads, Embed Links, Attach Files, Read Message
 * History (discord.com/developers/docs/topics/permissions).
 */
const permissions =
  (1n << 10n) | (1n << 11n) | (1n << 38n) | (1n << 14n) | (1n << 15n) | (1n << 16n);

/** How long Discord may take to say who the bot is; the fleet is up already. */
const timeoutMs = 5_000;

/** With the real Discord: which application this is, how to invite it, which intent is missing. */
export async function discordNotes(environment: Environment): Promise<readonly string[]> {
  const config = parseConfig(botSection, environment);
  if (config.botToken === undefined) return [];
  try {
    return notesOf(await fetchApplication(config), config);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return [`Discord did not say which application this is: ${why}`];
  }
}

async function fetchApplication({ apiUrl, botToken }: ConfigOf<typeof botSection>) {
  const response = await fetch(`${apiUrl}/v10/applications/@me`, {
    headers: { authorization: `Bot ${botToken}` },
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`it answered ${response.status}`);
  return application.parse(await response.json());
}

function notesOf(
  { id, name, flags = 0 }: z.infer<typeof application>,
  { messageContent }: ConfigOf<typeof botSection>,
): readonly string[] {
  const query = new URLSearchParams({
    client_id: id,
    scope: 'bot applications.commands',
    permissions: String(permissions),
  });
  const notes = [
    `application ${name} (${id})`,
    `invite it: https://discord.com/oauth2/authorize?${query}`,
  ];
  if (messageContent && (flags & messageContentFlags) === 0) {
    notes.push(
      `the message-content intent is missing: switch it on at https://discord.com/developers/applications/${id}/bot, or unset ${botSection.messageContent.variable}`,
    );
  }
  return notes;
}
