import { SimulatedClock } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Composition, compose } from './composition.ts';

let emulator: Composition;
let clock: SimulatedClock;

beforeEach(async () => {
  clock = new SimulatedClock();
  emulator = await compose({ clock });
  await emulator.api('PUT', `/applications/${emulator.world.application.id}/commands`, [
    {
      name: 'ask',
      description: 'Asks',
      options: [
        { type: 3, name: 'text', description: 'What', required: true },
        { type: 6, name: 'about', description: 'Whom' },
      ],
    },
    {
      name: 'limits',
      description: 'Limits',
      options: [
        {
          type: 1,
          name: 'show',
          description: 'Shows',
          options: [{ type: 4, name: 'days', description: 'Days', min_value: 1 }],
        },
      ],
    },
    { type: 3, name: 'Explain this' },
  ]);
});
afterEach(() => emulator[Symbol.asyncDispose]());

/** A person runs `/ask`; what the bot was told of it. */
async function ask(body: object = {}) {
  const used = await emulator.people('POST', '/command', {
    name: 'ask',
    options: { text: 'why?' },
    ...body,
  });
  expect(used.status, JSON.stringify(used.body)).toBe(200);
  const told = emulator.dispatched.findLast(({ name }) => name === 'INTERACTION_CREATE');
  const { id, token } = (told?.data ?? {}) as { id: string; token: string };
  const webhook = `/webhooks/${emulator.world.application.id}/${token}`;
  const callback = (answer: object, query = '') =>
    emulator.api('POST', `/interactions/${id}/${token}/callback${query}`, answer);
  return { used: used.body, told, webhook, callback };
}

describe('interactions', () => {
  it('tells the bot all of the command [F1]', async () => {
    const { used, told } = await ask();
    expect(told).toMatchObject({
      intents: 0,
      guildId: expect.any(String),
      data: {
        id: used.interactionId,
        type: 2,
        application_id: emulator.world.application.id,
        channel_id: used.channelId,
        member: { user: { id: used.userId } },
        context: 0,
        data: { name: 'ask', type: 1, options: [{ name: 'text', type: 3, value: 'why?' }] },
      },
    });
    expect(emulator.record.query().owed).toMatchObject([{ kind: 'interaction' }]);
  });

  it('tells it in a direct message, with a subcommand, a resolved user, a target', async () => {
    const dm = await ask({ dm: true });
    expect(dm.told?.guildId).toBeUndefined();
    expect(dm.told?.data).toMatchObject({ user: { id: dm.used.userId }, context: 1 });
    const sub = await ask({ name: 'limits show', options: { days: 3 } });
    expect(sub.told?.data.data).toMatchObject({
      options: [{ name: 'show', type: 1, options: [{ name: 'days', type: 4, value: 3 }] }],
    });
    const { userId, channelId } = sub.used;
    const about = await ask({ options: { text: 'who?', about: userId } });
    expect(about.told?.data.data).toMatchObject({
      resolved: { users: { [userId]: { id: userId } } },
    });
    const said = await emulator.people('POST', '/say', { channelId, userId, content: 'odd' });
    const menu = await ask({
      name: 'Explain this',
      options: {},
      channelId,
      targetMessageId: said.body.messageId,
    });
    expect(menu.told?.data.data).toMatchObject({
      type: 3,
      target_id: said.body.messageId,
      resolved: { messages: { [said.body.messageId]: { content: 'odd' } } },
    });
  });

  it('answers at once, with the message when asked for it', async () => {
    const { callback, used } = await ask();
    const answer = await callback({ type: 4, data: { content: 'because' } }, '?with_response=true');
    expect(answer).toMatchObject({
      status: 200,
      body: {
        interaction: { id: used.interactionId, response_message_loading: false },
        resource: {
          type: 4,
          message: {
            type: 20,
            content: 'because',
            interaction_metadata: { id: used.interactionId },
          },
        },
      },
    });
    expect(emulator.record.query()).toMatchObject({ answered: 1, violations: [] });
  });

  it('defers, completes the loading message by the first follow-up, then follows up', async () => {
    const { callback, webhook } = await ask();
    expect((await callback({ type: 5 })).status).toBe(204);
    const loading = await emulator.api('GET', `${webhook}/messages/@original`);
    expect(loading.body.flags & 128).toBe(128);
    const first = await emulator.api('POST', webhook, { content: 'part 1' });
    expect(first.body).toMatchObject({ id: loading.body.id, flags: 0, edited_timestamp: null });
    const second = await emulator.api('POST', webhook, { content: 'part 2' });
    expect(second.body.id).not.toBe(first.body.id);
    const edited = await emulator.api('PATCH', `${webhook}/messages/@original`, { content: 'new' });
    expect(edited.body).toMatchObject({ id: first.body.id, content: 'new' });
    const changed = await emulator.api('PATCH', `${webhook}/messages/${second.body.id}`, {
      content: 'part two',
    });
    expect(changed.body.content).toBe('part two');
    expect((await emulator.api('DELETE', `${webhook}/messages/${second.body.id}`)).status).toBe(
      204,
    );
    const gone = await emulator.api('GET', `${webhook}/messages/${second.body.id}`);
    expect(gone.body.code).toBe(10008);
    expect(emulator.record.query()).toMatchObject({ answered: 1, violations: [] });
  });

  it('shows an ephemeral response to its user alone, and to no gateway [D5]', async () => {
    const { callback, used, webhook } = await ask();
    await callback({ type: 5, data: { flags: 64 } });
    await emulator.api('PATCH', `${webhook}/messages/@original`, { content: 'only you' });
    expect(emulator.dispatched.some(({ name }) => name === 'MESSAGE_CREATE')).toBe(false);
    const seenBy = async (userId: string) =>
      (await emulator.people('GET', `/channel?id=${used.channelId}&userId=${userId}`)).body
        .messages;
    expect(await seenBy(used.userId)).toMatchObject([{ content: 'only you', ephemeral: true }]);
    expect(await seenBy('157783680000000000')).toEqual([]);
    const listed = await emulator.api('GET', `/channels/${used.channelId}/messages`);
    expect(listed.body).toEqual([]);
    const read = await emulator.people(
      'GET',
      `/answer?interactionId=${used.interactionId}&quietMs=0`,
    );
    expect(read.body).toMatchObject({ answered: true, ephemeral: true, text: 'only you' });
  });

  it('admits one response, in three seconds; the record sees the second one', async () => {
    const { callback } = await ask();
    await callback({ type: 4, data: { content: 'one' } });
    expect(await callback({ type: 4, data: { content: 'two' } })).toMatchObject({
      status: 400,
      body: { code: 40060 },
    });
    expect(emulator.record.query().violationCounts.acknowledged_twice).toBe(1);
    const late = await ask();
    await clock.advance(3000);
    expect(await late.callback({ type: 4, data: { content: 'late' } })).toMatchObject({
      status: 404,
      body: { code: 10062 },
    });
    const { body } = await emulator.people(
      'GET',
      `/answer?interactionId=${late.used.interactionId}&timeoutMs=60000`,
    );
    expect(body).toMatchObject({ answered: false, expired: true });
  });

  it('lets a token live for fifteen minutes, and not before the first response', async () => {
    const { callback, webhook } = await ask();
    expect((await emulator.api('POST', webhook, { content: 'x' })).body.code).toBe(10015);
    await callback({ type: 5 });
    await clock.advance(900_000);
    expect((await emulator.api('POST', webhook, { content: 'x' })).status).toBe(200);
    await clock.advance(1);
    expect(await emulator.api('POST', webhook, { content: 'y' })).toMatchObject({
      status: 401,
      body: { code: 50027 },
    });
  });

  it('refuses wrong forms and stays unanswered', async () => {
    const { callback } = await ask();
    const codes: number[] = [];
    for (const answer of [
      { type: 5, data: { flags: 4 } },
      { type: 4, data: { content: '' } },
      { type: 4, data: { content: 'x'.repeat(2001) } },
      { type: 6 },
      { type: 8 },
    ]) {
      codes.push((await callback(answer)).body.code);
    }
    expect(codes).toEqual([50035, 50006, 50035, 50035, 50035]);
    expect((await callback({ type: 4, data: { content: 'ok' } })).status).toBe(204);
    expect(emulator.record.query()).toMatchObject({ answered: 1, violations: [] });
    const forged = await emulator.api('POST', '/interactions/1/x/callback', { type: 5 });
    expect(forged.body.code).toBe(10062);
  });

  it('limits callbacks by no shared bucket', async () => {
    emulator.knobs.set({ otherRoutes: { limit: 1 } });
    for (let nth = 0; nth < 3; nth++) {
      const { callback } = await ask();
      expect((await callback({ type: 5 })).status).toBe(204);
    }
  });

  it('opens a modal', async () => {
    const { callback, used } = await ask();
    const modal = { custom_id: 'm', title: 'More', components: [{ type: 1, components: [] }] };
    expect((await callback({ type: 9, data: modal })).status).toBe(204);
    const path = `/answer?interactionId=${used.interactionId}&quietMs=0`;
    expect((await emulator.people('GET', path)).body).toMatchObject({
      answered: true,
      modal: { custom_id: 'm' },
    });
  });
});

describe('components', () => {
  const components = [
    {
      type: 1,
      components: [
        { type: 2, style: 4, label: 'Stop', custom_id: 'stop' },
        { type: 2, style: 2, label: 'Off', custom_id: 'off', disabled: true },
      ],
    },
    {
      type: 1,
      components: [
        {
          type: 3,
          custom_id: 'model',
          options: [
            { label: 'Small', value: 's' },
            { label: 'Large', value: 'l' },
          ],
        },
      ],
    },
  ];

  async function withButtons() {
    const { callback, used } = await ask();
    await callback({ type: 4, data: { content: 'pick', components } });
    const path = `/answer?interactionId=${used.interactionId}&quietMs=0`;
    const [message] = (await emulator.people('GET', path)).body.messages;
    return { messageId: message.id as string, userId: used.userId as string };
  }
  const told = () => {
    const event = emulator.dispatched.findLast(({ name }) => name === 'INTERACTION_CREATE');
    return event?.data as { id: string; token: string; type: number; data: object };
  };
  const callback = (answer: object) =>
    emulator.api('POST', `/interactions/${told().id}/${told().token}/callback`, answer);

  it('presses a button; the bot changes the message in place [A10]', async () => {
    const { messageId, userId } = await withButtons();
    const press = { messageId, userId, customId: 'stop' };
    const pressed = await emulator.people('POST', '/press', press);
    expect(told()).toMatchObject({
      type: 3,
      data: { custom_id: 'stop', component_type: 2 },
      message: { id: messageId },
    });
    await callback({ type: 7, data: { content: 'stopped', components: [] } });
    const path = `/answer?interactionId=${pressed.body.interactionId}&quietMs=0`;
    expect((await emulator.people('GET', path)).body).toMatchObject({
      answered: true,
      text: 'stopped',
      messages: [{ id: messageId }],
    });
    expect(emulator.record.query().violations).toEqual([]);
  });

  it('defers the change of a pressed message and makes it by @original', async () => {
    const { messageId, userId } = await withButtons();
    const pressed = await emulator.people('POST', '/press', {
      messageId,
      userId,
      customId: 'stop',
    });
    await callback({ type: 6 });
    const webhook = `/webhooks/${emulator.world.application.id}/${told().token}`;
    await emulator.api('PATCH', `${webhook}/messages/@original`, { content: 'done' });
    const path = `/answer?interactionId=${pressed.body.interactionId}&quietMs=0`;
    expect((await emulator.people('GET', path)).body).toMatchObject({
      answered: true,
      text: 'done',
    });
    expect(emulator.record.query()).toMatchObject({ answered: 2, violations: [] });
  });

  it('takes a change of the pressed message by any route for the deferred response [A10]', async () => {
    for (const method of ['PATCH', 'DELETE'] as const) {
      const { messageId, userId } = await withButtons();
      const press = { messageId, userId, customId: 'stop' };
      const pressed = await emulator.people('POST', '/press', press);
      await callback({ type: 6 });
      const owed = () => emulator.record.query().owed.map(({ id }) => id);
      expect(owed()).toEqual([pressed.body.interactionId]);
      const path = `/channels/${pressed.body.channelId}/messages/${messageId}`;
      await emulator.api(method, path, method === 'PATCH' ? { components: [] } : undefined);
      expect(owed()).not.toContain(pressed.body.interactionId);
    }
    expect(emulator.record.query().violations).toEqual([]);
  });

  it('tells the bot that the owner of a guild may do everything there, and others may not', async () => {
    const { messageId, userId } = await withButtons();
    const guilds = (await emulator.people('GET', '/guilds?limit=1')).body.guilds;
    const [{ members, ownerId }] = guilds;
    expect(userId).toBe(ownerId);
    const manages = async (by: string) => {
      await emulator.people('POST', '/press', { messageId, userId: by, customId: 'stop' });
      const { member } = told() as unknown as { member: { permissions: string } };
      return (BigInt(member.permissions) & (1n << 13n)) !== 0n;
    };
    expect(await manages(ownerId)).toBe(true);
    expect(await manages(members[1].id)).toBe(false);
  });

  it('chooses in a select menu, within what it offers', async () => {
    const { messageId, userId } = await withButtons();
    const choice = { messageId, userId, customId: 'model', values: ['l'] };
    expect((await emulator.people('POST', '/select', choice)).status).toBe(200);
    expect(told().data).toMatchObject({ custom_id: 'model', component_type: 3, values: ['l'] });
    const refused = async (path: string, body: object) =>
      (await emulator.people('POST', path, body)).body.error.field;
    expect(await refused('/select', { ...choice, values: ['x'] })).toBe('values');
    expect(await refused('/select', { ...choice, values: ['s', 'l'] })).toBe('values');
    expect(await refused('/press', { messageId, userId, customId: 'off' })).toBe('customId');
    expect(await refused('/press', { messageId, userId, customId: 'model' })).toBe('customId');
    expect(await refused('/press', { messageId, userId, customId: 'none' })).toBe('customId');
  });
});
