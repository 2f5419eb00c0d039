import { systemClock as clock, systemRandom as random } from '@starling/clock';
import { startDiscordEmulator } from '@starling/discord-emulator/testing';
import { describe, expect, it } from 'vitest';
import { PeopleDoor } from '../src/people-door.ts';
import { pressStop } from '../src/press-stop.ts';

describe('a person who presses Stop', () => {
  it('waits for the button below the answer, and presses it as the one who asked [A10]', async () => {
    await using emulator = await startDiscordEmulator({ clock, random });
    const door = new PeopleDoor(emulator.restUrl);
    const said = await door.say({ content: 'tell me', dm: false });
    const options = { door, clock, afterMs: 0 };
    const pressing = pressStop(said, { ...options, signal: new AbortController().signal });
    const buttons = (...ids: readonly string[]) => [
      { type: 1, components: ids.map((id) => ({ type: 2, style: 2, label: id, custom_id: id })) },
    ];
    const answered = await fetch(
      `${emulator.restUrl}/api/v10/channels/${said.channelId}/messages`,
      {
        method: 'POST',
        headers: { authorization: `Bot ${emulator.botToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({
          content: 'One',
          message_reference: { message_id: said.messageId },
          components: buttons('other', `stop:${said.messageId}:${said.userId}`),
        }),
      },
    );
    expect(answered.status).toBe(200);
    expect(await pressing).toBe(true);
    expect(emulator.record.query().owed).toMatchObject([
      { kind: 'interaction', userId: said.userId, channelId: said.channelId },
    ]);
    const gone = new AbortController();
    const second = await door.say({ content: 'tell me more', dm: false });
    const nothing = pressStop(second, { ...options, signal: gone.signal });
    gone.abort();
    expect(await nothing).toBe(false);
  });
});
