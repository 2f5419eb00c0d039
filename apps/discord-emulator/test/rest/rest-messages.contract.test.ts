import { SimulatedClock } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Composition, compose } from './composition.ts';

let emulator: Composition;
let guildId: string;
/** By name: general, questions, announcements (read only), staff (not seen). */
let channels: Record<string, string>;
let userId: string;
const clock = new SimulatedClock();

beforeEach(async () => {
  emulator = await compose({ clock });
  [guildId = ''] = emulator.world.guildIds();
  const guild = emulator.world.guild(guildId);
  channels = Object.fromEntries((guild?.channels() ?? []).map(({ id, name }) => [name, id]));
  userId = [...(guild?.members() ?? [])].find(({ user }) => !user.bot)?.user.id ?? '';
});
afterEach(() => emulator[Symbol.asyncDispose]());

const messages = (name = 'general') => `/channels/${channels[name]}/messages`;
const send = (body: object) => emulator.api('POST', messages(), body);

describe('messages over REST', () => {
  it('creates, reads, edits and deletes, and tells the gateway each time', async () => {
    const created = await send({ content: 'hello', nonce: 'abc' });
    expect(created).toMatchObject({ status: 200, body: { content: 'hello', nonce: 'abc' } });
    const path = `${messages()}/${created.body.id}`;
    expect((await emulator.api('GET', path)).body.content).toBe('hello');
    await clock.advance(10);
    const edited = await emulator.api('PATCH', path, { content: 'bye' });
    expect(edited.body).toMatchObject({ content: 'bye', edited_timestamp: expect.any(String) });
    expect((await emulator.api('DELETE', path)).status).toBe(204);
    expect((await emulator.api('GET', path)).body).toEqual({
      message: 'Unknown Message',
      code: 10008,
    });
    expect(emulator.dispatched).toMatchObject([
      {
        name: 'MESSAGE_CREATE',
        guildId,
        intents: 1 << 9,
        data: { nonce: 'abc', guild_id: guildId, member: { roles: [expect.any(String)] } },
      },
      { name: 'MESSAGE_UPDATE', data: { content: 'bye' } },
      { name: 'MESSAGE_DELETE', data: { id: created.body.id, guild_id: guildId } },
    ]);
  });

  it('lists newest first, before, after and around', async () => {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await send({ content: `${count}` })).body.id);
    const list = async (query: string) =>
      (await emulator.api('GET', `${messages()}?${query}`)).body.map(
        ({ content }: { content: string }) => content,
      );
    expect(await list('limit=2')).toEqual(['4', '3']);
    expect(await list(`before=${ids[2]}`)).toEqual(['1', '0']);
    expect(await list(`after=${ids[2]}`)).toEqual(['4', '3']);
    expect(await list(`around=${ids[2]}&limit=3`)).toEqual(['3', '2', '1']);
    expect((await emulator.api('GET', `${messages()}?limit=101`)).body.code).toBe(50035);
  });

  it('replies to a message, and refuses one that is gone unless told not to', async () => {
    const asked = await send({ content: 'question' });
    const reference = { message_reference: { message_id: asked.body.id } };
    const reply = await send({ content: 'answer', ...reference });
    expect(reply.body).toMatchObject({
      type: 19,
      message_reference: {
        message_id: asked.body.id,
        channel_id: channels.general,
        guild_id: guildId,
      },
      referenced_message: { content: 'question' },
    });
    await emulator.api('DELETE', `${messages()}/${asked.body.id}`);
    const read = await emulator.api('GET', `${messages()}/${reply.body.id}`);
    expect(read.body.referenced_message).toBeNull();
    const late = await send({ content: 'late', ...reference });
    expect(late).toMatchObject({
      status: 400,
      body: {
        code: 50035,
        errors: { message_reference: { _errors: [{ code: 'REPLIES_UNKNOWN_MESSAGE' }] } },
      },
    });
    const lenient = { message_reference: { message_id: asked.body.id, fail_if_not_exists: false } };
    const sent = await send({ content: 'late', ...lenient });
    expect(sent).toMatchObject({ status: 200, body: { type: 0 } });
    expect(sent.body.message_reference).toBeUndefined();
  });

  it('gives the earlier message again for an enforced nonce, deleted or not, for minutes [A6]', async () => {
    const body = { content: 'once', nonce: 'job-1', enforce_nonce: true };
    const first = await send(body);
    const again = await send({ ...body, content: 'twice' });
    expect(again.body).toMatchObject({ id: first.body.id, content: 'once' });
    await emulator.api('DELETE', `${messages()}/${first.body.id}`);
    expect((await send(body)).body.id).toBe(first.body.id);
    expect(emulator.dispatched.filter(({ name }) => name === 'MESSAGE_CREATE')).toHaveLength(1);
    await clock.advance(180_001);
    expect((await send(body)).body.id).not.toBe(first.body.id);
    expect((await send({ ...body, enforce_nonce: false })).body.id).not.toBe(first.body.id);
  });

  it.each([
    [{ content: '' }, 50006],
    [{ content: '  \n ' }, 50006],
    [{}, 50006],
    [{ content: 'x'.repeat(2001) }, 50035],
    [{ content: 'x', nonce: 'n'.repeat(26) }, 50035],
    [{ content: 'x', flags: 1 << 6 }, 50035],
    [{ content: 7 }, 50035],
  ])('refuses %j with %i', async (body, code) => {
    expect(await send(body)).toMatchObject({ status: 400, body: { code } });
    expect(emulator.dispatched).toEqual([]);
  });

  it.each(['👩‍👩‍👧‍👦🎉', 'שלום עולם', '\u200b', 'a\u202eb'])(
    'takes %j as it is',
    async (content) => {
      expect((await send({ content })).body.content).toBe(content);
    },
  );

  it('pings only what allowed_mentions lets through [F9]', async () => {
    const content = `<@${userId}> @everyone`;
    expect((await send({ content })).body).toMatchObject({
      mention_everyone: true,
      mentions: [{ id: userId }],
    });
    const none = await send({ content, allowed_mentions: { parse: [] } });
    expect(none.body).toMatchObject({ mention_everyone: false, mentions: [] });
  });

  it('takes files, embeds and buttons, and serves the files', async () => {
    const form = new FormData();
    const payload = {
      content: '',
      embeds: [{ title: 'numbers', fields: [{ name: 'a', value: '1' }] }],
      components: [{ type: 1, components: [{ type: 2, style: 4, label: 'Stop', custom_id: 's' }] }],
      attachments: [{ id: 0, description: 'a list' }],
    };
    form.set('payload_json', JSON.stringify(payload));
    form.set('files[0]', new Blob(['1,2,3'], { type: 'text/csv' }), 'list.csv');
    const { body } = await emulator.api('POST', messages(), form);
    expect(body.attachments).toMatchObject([
      { filename: 'list.csv', size: 5, content_type: 'text/csv', description: 'a list' },
    ]);
    expect(await (await fetch(body.attachments[0].url)).text()).toBe('1,2,3');
    const edited = await emulator.api('PATCH', `${messages()}/${body.id}`, {
      content: 'without',
      attachments: [],
    });
    expect(edited.body).toMatchObject({ content: 'without', attachments: [], embeds: [{}] });
  });

  it('refuses an edit that leaves nothing, and one of another author', async () => {
    const own = await send({ content: 'x' });
    const emptied = await emulator.api('PATCH', `${messages()}/${own.body.id}`, { content: '' });
    expect(emptied.body.code).toBe(50006);
    const said = await emulator.people('POST', '/say', {
      channelId: channels.general,
      content: 'hi',
    });
    const path = `${messages()}/${said.body.messageId}`;
    expect((await emulator.api('PATCH', path, { content: 'y' })).body.code).toBe(50005);
  });

  it('refuses where the bot may not read or write, and with people who take no messages', async () => {
    const hi = { content: 'hi' };
    const refused = async (name: string) =>
      (await emulator.api('POST', messages(name), hi)).body.code;
    expect(await refused('announcements')).toBe(50013);
    expect(await refused('staff')).toBe(50001);
    expect(await refused('unknown')).toBe(10003);
    const closed = emulator.world.personAt(emulator.world.spec.people - 1);
    const dm = await emulator.api('POST', '/users/@me/channels', { recipient_id: closed?.id });
    const sent = await emulator.api('POST', `/channels/${dm.body.id}/messages`, hi);
    expect(sent).toMatchObject({ status: 403, body: { code: 50007 } });
  });

  it('shows typing to the gateway', async () => {
    const answer = await emulator.api('POST', `/channels/${channels.general}/typing`);
    expect(answer.status).toBe(204);
    expect(emulator.dispatched).toMatchObject([
      { name: 'TYPING_START', intents: 1 << 11, data: { user_id: emulator.world.bot.id } },
    ]);
  });
});

describe('the API around messages', () => {
  it('serves what discord-api-spec describes on every read', async () => {
    const person = userId;
    for (const path of [
      '/gateway',
      '/gateway/bot',
      '/users/@me',
      '/users/@me/guilds?limit=3',
      `/users/${person}`,
      '/applications/@me',
      '/oauth2/applications/@me',
      `/guilds/${guildId}?with_counts=true`,
      `/guilds/${guildId}/channels`,
      `/guilds/${guildId}/roles`,
      `/guilds/${guildId}/members?limit=10`,
      `/guilds/${guildId}/members/${person}`,
      `/guilds/${guildId}/threads/active`,
      `/channels/${channels.general}`,
    ]) {
      expect((await emulator.api('GET', path)).status, path).toBe(200);
    }
    const dm = await emulator.api('POST', '/users/@me/channels', { recipient_id: person });
    expect((await emulator.api('GET', `/channels/${dm.body.id}`)).body.recipients).toHaveLength(1);
  });

  it('opens threads, from a message or without, archives and removes them', async () => {
    const asked = await send({ content: 'long story' });
    const from = `${messages()}/${asked.body.id}/threads`;
    const thread = await emulator.api('POST', from, { name: 'the story' });
    expect(thread).toMatchObject({ status: 201, body: { id: asked.body.id, type: 11 } });
    expect((await emulator.api('POST', from, { name: 'again' })).body.code).toBe(160004);
    expect((await emulator.api('GET', `${messages()}/${asked.body.id}`)).body.thread.id).toBe(
      thread.body.id,
    );
    await emulator.api('POST', `/channels/${thread.body.id}/messages`, { content: 'once' });
    const path = `/channels/${thread.body.id}`;
    expect((await emulator.api('GET', path)).body.message_count).toBe(1);
    const archived = await emulator.api('PATCH', path, { archived: true, locked: true });
    expect(archived.body.thread_metadata).toMatchObject({ archived: true, locked: true });
    const late = await emulator.api('POST', `${path}/messages`, { content: 'more' });
    expect(late.body.code).toBe(50083);
    expect((await emulator.api('DELETE', path)).status).toBe(200);
    expect((await emulator.api('GET', path)).body.code).toBe(10003);
    const other = await emulator.api('POST', `/channels/${channels.general}/threads`, {
      name: 'side',
      type: 11,
    });
    expect(other.body.parent_id).toBe(channels.general);
    const events = emulator.dispatched.map(({ name }) => name);
    expect(events.filter((name) => name.startsWith('THREAD'))).toEqual([
      'THREAD_CREATE',
      'THREAD_UPDATE',
      'THREAD_DELETE',
      'THREAD_CREATE',
    ]);
  });

  it('says 401, 404 and 50109 as Discord says them', async () => {
    const anonymous = await emulator.api('GET', '/users/@me', undefined, {
      authorization: 'Bot x',
    });
    expect(anonymous).toMatchObject({
      status: 401,
      body: { message: '401: Unauthorized', code: 0 },
    });
    expect(await emulator.api('GET', '/nothing/here')).toMatchObject({
      status: 404,
      body: { message: '404: Not Found', code: 0 },
    });
    expect((await emulator.api('POST', messages(), '{"content":')).body.code).toBe(50109);
    expect((await emulator.api('GET', '/guilds/1')).body.code).toBe(10004);
    expect((await fetch(`${emulator.url}/api/v6/users/@me`)).status).toBe(400);
    expect(emulator.record.query().violationCounts.invalid_request).toBe(1);
  });
});
