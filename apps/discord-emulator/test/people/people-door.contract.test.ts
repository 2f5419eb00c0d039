import { SimulatedClock } from '@starling/clock';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { type Composition, compose } from '../rest/composition.ts';

let emulator: Composition;
let clock: SimulatedClock;
let channelId: string;
/** Of the channel's guild: two people. */
let userId: string;
let otherId: string;

beforeEach(async () => {
  clock = new SimulatedClock();
  emulator = await compose({ clock, world: { guilds: 3, membersPerGuild: 4, people: 20 } });
  const { body } = await emulator.people('GET', '/guilds?limit=1');
  channelId = body.guilds[0].channels[0].id;
  [userId, otherId] = body.guilds[0].members.map(({ id }: { id: string }) => id);
});
afterEach(() => emulator[Symbol.asyncDispose]());

const say = async (body: object = {}) =>
  (await emulator.people('POST', '/say', { channelId, userId, content: 'hi', ...body })).body;
const send = async (body: object, channel = channelId) =>
  (await emulator.api('POST', `/channels/${channel}/messages`, body)).body;
const reply = (to: string, content: string, more: object = {}) =>
  send({ content, message_reference: { message_id: to }, ...more });
const answer = async (messageId: string, query = 'quietMs=0&timeoutMs=0') =>
  (await emulator.people('GET', `/answer?messageId=${messageId}&${query}`)).body;

describe('speaking', () => {
  it('mentions the bot, which the gateway and the record hear of', async () => {
    const said = await say({ content: 'hello', mention: true });
    expect(said).toEqual({ messageId: expect.any(String), channelId, userId, owners: 1 });
    expect(emulator.dispatched).toMatchObject([
      {
        name: 'MESSAGE_CREATE',
        data: {
          id: said.messageId,
          content: `<@${emulator.world.bot.id}> hello`,
          author: { id: userId },
          member: { joined_at: expect.any(String) },
          mentions: [{ id: emulator.world.bot.id }],
        },
      },
    ]);
    expect(emulator.record.query().owed).toMatchObject([{ id: said.messageId, owners: 1 }]);
  });

  it('is owed an answer when mentioned, replied to or written to directly, not otherwise', async () => {
    await say();
    const unrelated = await say({ replyTo: (await say()).messageId });
    expect(emulator.record.query().owed).toEqual([]);
    const post = await send({ content: 'news' });
    const ids = [
      (await say({ mention: true })).messageId,
      (await say({ replyTo: post.id, ping: false })).messageId,
      (await say({ dm: true, channelId: undefined })).messageId,
    ];
    expect(emulator.record.query().owed.map(({ id }) => id)).toEqual(ids);
    expect(unrelated.messageId).not.toBe(ids[0]);
  });

  it('pings the bot by a reply, unless the person turned that off', async () => {
    const post = await send({ content: 'news' });
    await say({ replyTo: post.id });
    await say({ replyTo: post.id, ping: false });
    const [, pinged, quiet] = emulator.dispatched;
    expect(pinged?.data).toMatchObject({ type: 19, mentions: [{ id: emulator.world.bot.id }] });
    expect(quiet?.data).toMatchObject({ type: 19, mentions: [] });
  });

  it.each(['', 'x'.repeat(4000), '🎉🎉', 'שלום עולם', '\u200b\u200b'])(
    'takes %j as people write it',
    async (content) => {
      const said = await say({ content });
      const { body } = await emulator.people('GET', `/channel?id=${channelId}`);
      expect(body.messages).toMatchObject([{ id: said.messageId, content, bot: false }]);
      await say({ content: '', mention: true });
      expect(emulator.dispatched.at(-1)?.data.content).toBe(`<@${emulator.world.bot.id}>`);
    },
  );

  it('fills in guild, channel and user, or opens a direct message', async () => {
    const anywhere = (await emulator.people('POST', '/say', { content: 'hi' })).body;
    expect(emulator.world.channel(anywhere.channelId)).toMatchObject({ type: 0 });
    const dm = (await emulator.people('POST', '/say', { dm: true, userId: otherId })).body;
    expect(emulator.world.channel(dm.channelId)).toMatchObject({ type: 1 });
    expect(emulator.dispatched.at(-1)).not.toHaveProperty('guildId');
    const again = (await emulator.people('POST', '/say', { channelId: dm.channelId })).body;
    expect(again.userId).toBe(otherId);
  });

  it('edits and takes back; what was taken back is owed nothing', async () => {
    const said = await say({ mention: true });
    const { messageId } = said;
    await emulator.people('POST', '/edit', { messageId, content: 'better' });
    await emulator.people('POST', '/delete', { messageId });
    expect(emulator.dispatched.map(({ name }) => name)).toEqual([
      'MESSAGE_CREATE',
      'MESSAGE_UPDATE',
      'MESSAGE_DELETE',
    ]);
    expect(emulator.record.query().owed).toEqual([]);
    expect((await emulator.people('GET', `/channel?id=${channelId}`)).body.messages).toEqual([]);
  });

  it('tells the bot nothing of a channel that it does not see', async () => {
    const staff = emulator.world
      .guild([...emulator.world.guildIds()][0] ?? '')
      ?.channels()
      .at(-1);
    const said = await say({ channelId: staff?.id, mention: true });
    expect(said.owners).toBe(0);
    expect(emulator.dispatched).toEqual([]);
    expect(emulator.record.query().owed).toEqual([]);
  });
});

describe('answers', () => {
  it('puts together the reply, its continuations, edits, typing and times [A9]', async () => {
    const { messageId } = await say({ mention: true });
    await clock.advance(100);
    await emulator.api('POST', `/channels/${channelId}/typing`);
    await clock.advance(300);
    const first = await reply(messageId, 'one…', { nonce: 'job-1' });
    await clock.advance(1000);
    const path = `/channels/${channelId}/messages/${first.id}`;
    await emulator.api('PATCH', path, { content: 'one' });
    await send({ content: 'two', nonce: 'job-2' });
    await send({ content: 'unrelated' });
    expect(await answer(messageId)).toMatchObject({
      answered: true,
      settled: true,
      text: 'one\ntwo',
      edits: 1,
      firstTextMs: 400,
      lastChangeMs: 1400,
      typing: [100],
      ephemeral: false,
      messages: [
        { content: 'one', editedCount: 1, replyTo: messageId },
        { content: 'two', editedCount: 0 },
      ],
    });
  });

  it('waits for the answer, then until it stays unchanged', async () => {
    const { messageId } = await say({ mention: true });
    let done = false;
    const waiting = answer(messageId, 'quietMs=1000&timeoutMs=60000').finally(() => {
      done = true;
    });
    await expect.poll(() => clock.pendingTimers).toBe(1);
    const { id } = await reply(messageId, 'a');
    await clock.advance(900);
    await emulator.api('PATCH', `/channels/${channelId}/messages/${id}`, { content: 'ab' });
    await clock.advance(900);
    expect(done).toBe(false);
    await clock.advance(100);
    expect(await waiting).toMatchObject({ answered: true, settled: true, text: 'ab', edits: 1 });
    expect(clock.pendingTimers).toBe(0);
  });

  it('takes a place in line for no answer until text stands there [B6]', async () => {
    const said = await say({ content: 'why?', mention: true });
    const { id } = await reply(said.messageId, 'In line: place 3, about 8 s');
    await clock.advance(200);
    expect(await answer(said.messageId)).toMatchObject({ answered: false, firstTextMs: null });
    const owed = () => emulator.record.query().owed.length;
    expect(owed()).toBe(1);
    const edit = (content: string) =>
      emulator.api('PATCH', `/channels/${channelId}/messages/${id}`, { content });
    await edit('Next in line');
    expect(owed()).toBe(1);
    await clock.advance(200);
    await edit('Because.');
    expect(owed()).toBe(0);
    const seen = { answered: true, firstTextMs: 400, text: 'Because.' };
    expect(await answer(said.messageId)).toMatchObject(seen);
    const again = await reply(said.messageId, 'Once more.');
    expect(emulator.record.query().violationCounts.answered_twice).toBe(1);
    expect(again.id).not.toBe(id);
    emulator.knobs.set({ pendingText: '' });
    const second = await say({ content: 'and?', mention: true });
    await reply(second.messageId, 'Next in line');
    expect(owed()).toBe(0);
    expect(() => emulator.knobs.set({ pendingText: '(' })).toThrow(/regular expression/);
  });

  it('ends a wait at its time, with what is there', async () => {
    const { messageId } = await say({ mention: true });
    const waiting = answer(messageId, 'timeoutMs=5000');
    await expect.poll(() => clock.pendingTimers).toBe(1);
    await clock.advance(5000);
    expect(await waiting).toMatchObject({
      answered: false,
      settled: false,
      messages: [],
      text: '',
    });
  });

  it('frees a wait whose caller has gone', async () => {
    const { messageId } = await say({ mention: true });
    const gone = new AbortController();
    const url = `${emulator.url}/people/answer?messageId=${messageId}`;
    const waiting = fetch(url, { signal: gone.signal });
    await expect.poll(() => clock.pendingTimers).toBe(1);
    gone.abort();
    await expect(waiting).rejects.toThrow();
    await expect.poll(() => clock.pendingTimers).toBe(0);
  });

  it('follows an answer into the thread that it opened, and forgets deleted parts', async () => {
    const { messageId } = await say({ mention: true });
    const from = `/channels/${channelId}/messages/${messageId}/threads`;
    const thread = (await emulator.api('POST', from, { name: 'more' })).body;
    const first = await send({ content: 'in the thread' }, thread.id);
    await send({ content: 'and on' }, thread.id);
    await emulator.api('DELETE', `/channels/${thread.id}/messages/${first.id}`);
    expect(await answer(messageId)).toMatchObject({ answered: true, text: 'and on' });
  });
});

describe('looking on', () => {
  it('pages through guilds', async () => {
    const page = (await emulator.people('GET', '/guilds?offset=1&limit=1&members=2')).body;
    expect(page).toMatchObject({ total: 3, offset: 1, bot: { id: emulator.world.bot.id } });
    expect(page.guilds).toHaveLength(1);
    expect(page.guilds[0].members).toHaveLength(2);
    expect(page.guilds[0].channels).toContainEqual(
      expect.objectContaining({ name: 'announcements', botSees: true, botWrites: false }),
    );
  });

  it('watches a channel over a WebSocket', async () => {
    const ws = new WebSocket(
      `${emulator.url.replace('http', 'ws')}/people/watch?channelId=${channelId}`,
    );
    const seen: { type: string; message?: { content: string }; bot?: boolean }[] = [];
    ws.on('message', (data) => seen.push(JSON.parse(String(data))));
    await new Promise((resolve) => ws.once('open', resolve));
    const said = await say({ mention: true });
    await emulator.api('POST', `/channels/${channelId}/typing`);
    await reply(said.messageId, 'yes');
    await emulator.people('POST', '/delete', { messageId: said.messageId });
    await expect
      .poll(() => seen)
      .toMatchObject([
        { type: 'created', message: { id: said.messageId } },
        { type: 'typing', bot: true },
        { type: 'created', message: { content: 'yes' }, answersTo: said.messageId },
        { type: 'deleted' },
      ]);
    ws.close();
    await new Promise((resolve) => ws.once('close', resolve));
  });

  it('refuses to watch what is not there', async () => {
    const ws = new WebSocket(`${emulator.url.replace('http', 'ws')}/people/watch?channelId=1`);
    const status = await new Promise((resolve) => {
      ws.once('unexpected-response', (_request, response) => resolve(response.statusCode));
    });
    expect(status).toBe(400);
  });
});

describe('bad input', () => {
  it.each([
    ['POST', '/say', { content: 'x'.repeat(4001) }, 'content'],
    ['POST', '/say', { content: 7 }, 'content'],
    ['POST', '/say', { channelId: 'general' }, 'channelId'],
    ['POST', '/say', { channelId: '123456789012345678' }, 'channelId'],
    ['POST', '/say', { userId: '123456789012345678' }, 'userId'],
    ['POST', '/say', { guildId: '123456789012345678' }, 'guildId'],
    ['POST', '/say', { replyTo: '123456789012345678' }, 'replyTo'],
    ['POST', '/say', { unknown: 1 }, ''],
    ['POST', '/say', '{"content":', ''],
    ['POST', '/edit', { messageId: '123456789012345678', content: '' }, 'messageId'],
    ['POST', '/command', { name: 'nothing' }, 'name'],
    ['POST', '/press', { messageId: '123456789012345678', customId: 'x' }, 'messageId'],
    ['GET', '/answer', undefined, ''],
    ['GET', '/answer?messageId=1&timeoutMs=-1', undefined, 'timeoutMs'],
    ['GET', '/channel?id=1', undefined, 'id'],
    ['GET', '/guilds?limit=0', undefined, 'limit'],
  ])(
    '%s %s %j is refused with field, value, problem and remedy',
    async (method, path, body, field) => {
      const refused = await emulator.people(method, path, body);
      expect(refused.status).toBe(400);
      expect(refused.body.error).toEqual({
        field,
        value: refused.body.error.value,
        problem: expect.stringMatching(/./),
        remedy: expect.stringMatching(/./),
      });
      expect(emulator.dispatched).toEqual([]);
    },
  );

  it('says 404 for an unknown request and an unknown question, 413 for too much', async () => {
    expect((await emulator.people('GET', '/nothing')).status).toBe(404);
    expect((await emulator.people('DELETE', '/say')).status).toBe(404);
    expect((await emulator.people('GET', '/answer?messageId=1')).status).toBe(404);
    const much = await emulator.people('POST', '/say', { content: 'x'.repeat(70_000) });
    expect(much.status).toBe(413);
  });

  it('refuses options that a command does not take', async () => {
    const base = `/applications/${emulator.world.application.id}/commands`;
    const option = { type: 4, name: 'days', description: 'Days', required: true, min_value: 1 };
    const command = { name: 'usage', description: 'Usage', options: [option] };
    await emulator.api('POST', base, command);
    const field = async (options: object) =>
      (await emulator.people('POST', '/command', { name: 'usage', options })).body.error?.field;
    expect(await field({})).toBe('options.days');
    expect(await field({ days: 'x' })).toBe('options.days');
    expect(await field({ days: 0 })).toBe('options.days');
    expect(await field({ days: 1.5 })).toBe('options.days');
    expect(await field({ days: 1, weeks: 1 })).toBe('options.weeks');
    expect(await field({ days: 1 })).toBeUndefined();
  });
});
