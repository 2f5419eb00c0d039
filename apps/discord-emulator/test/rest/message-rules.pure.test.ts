import { describe, expect, it } from 'vitest';
import { ApiError } from '../../src/rest/api-error.ts';
import { messageCreateForm } from '../../src/rest/forms/message-form.ts';
import { parseForm } from '../../src/rest/forms/parse-form.ts';
import { AnswerLinks } from '../../src/rest/messages/answer-links.ts';
import { BoundedMap } from '../../src/rest/messages/bounded-map.ts';
import { mentionsOf } from '../../src/rest/messages/mentions.ts';
import { Router } from '../../src/rest/router.ts';

const user = '123456789012345678';
const role = '223456789012345678';

function problemsOf(body: unknown): unknown {
  try {
    return parseForm(messageCreateForm, body);
  } catch (error) {
    if (error instanceof ApiError) return error.body();
    throw error;
  }
}

describe('message form', () => {
  it('holds content to 2000 characters and the nonce to 25', () => {
    expect(problemsOf({ content: 'x'.repeat(2000) })).toMatchObject({ content: 'x'.repeat(2000) });
    expect(problemsOf({ content: 'x'.repeat(2001) })).toEqual({
      message: 'Invalid Form Body',
      code: 50035,
      errors: {
        content: {
          _errors: [{ code: 'BASE_TYPE_MAX_LENGTH', message: 'Must be 2000 or fewer in length.' }],
        },
      },
    });
    expect(problemsOf({ content: 'x', nonce: 'n'.repeat(26) })).toMatchObject({ code: 50035 });
  });

  it('holds embeds to ten, and to 6000 characters between them', () => {
    const embed = { description: 'x'.repeat(4000) };
    expect(problemsOf({ embeds: [embed] })).toMatchObject({ embeds: [{ type: 'rich' }] });
    expect(problemsOf({ embeds: [embed, embed] })).toMatchObject({ code: 50035 });
    const eleven = Array.from({ length: 11 }, () => ({ title: 'x' }));
    expect(problemsOf({ embeds: eleven })).toMatchObject({ code: 50035 });
  });

  it('names the nested field that is wrong', () => {
    const body = { embeds: [{ title: 'x' }, { title: 'x'.repeat(257) }] };
    expect(problemsOf(body)).toMatchObject({
      errors: { embeds: { 1: { title: { _errors: [{ code: 'BASE_TYPE_MAX_LENGTH' }] } } } },
    });
  });

  it('numbers components in the order of their tree', () => {
    const button = { type: 2, style: 1, label: 'Stop', custom_id: 'stop' };
    const form = parseForm(messageCreateForm, {
      components: [{ type: 1, components: [button, button] }],
    });
    expect(form.components).toMatchObject([{ id: 1, components: [{ id: 2 }, { id: 3 }] }]);
  });
});

describe('mentionsOf', () => {
  const content = `<@${user}> <@!${user}> <@&${role}> @everyone`;

  it('pings all that is named unless told otherwise', () => {
    expect(mentionsOf({ content })).toEqual({ userIds: [user], roleIds: [role], everyone: true });
  });

  it('pings nobody when nothing is allowed, not even the author who is replied to [F9]', () => {
    const none = { userIds: [], roleIds: [], everyone: false };
    expect(mentionsOf({ content, allowed: { parse: [] }, repliedTo: user })).toEqual(none);
  });

  it('pings what is listed, and the replied author when that is allowed', () => {
    const allowed = { parse: [], roles: [role], replied_user: true };
    expect(mentionsOf({ content: `<@&${role}>`, allowed, repliedTo: user })).toEqual({
      userIds: [user],
      roleIds: [role],
      everyone: false,
    });
  });
});

describe('AnswerLinks', () => {
  const links = () => new AnswerLinks(() => 1000);
  const at = { channelId: 'c', isDm: false };

  it('takes a reply to a part of an answer as a further part', () => {
    const book = links();
    expect(book.link({ ...at, messageId: 'a1', referenceId: 'q' })).toBe('q');
    expect(book.link({ ...at, messageId: 'a2', referenceId: 'a1' })).toBe('q');
    expect(book.rootOf('a2')).toBe('q');
  });

  it('knows a part without a reference by its nonce, in its own channel only', () => {
    const book = links();
    book.link({ ...at, messageId: 'a1', referenceId: 'q', nonce: 'job-1' });
    expect(book.link({ ...at, messageId: 'a2', nonce: 'job-2' })).toBe('q');
    expect(book.link({ ...at, channelId: 'd', messageId: 'a3', nonce: 'job-3' })).toBeUndefined();
  });

  it('takes what stands in the thread of a question as its answer', () => {
    const book = links();
    book.ask({ id: 'q', ...at });
    expect(book.link({ ...at, channelId: 'q', messageId: 'a1' })).toBe('q');
  });

  it('answers the oldest open question of a direct message, then continues the last answer', () => {
    const book = links();
    const dm = { channelId: 'dm', isDm: true };
    book.ask({ id: 'q1', ...dm });
    book.ask({ id: 'q2', ...dm });
    expect(book.link({ ...dm, messageId: 'a1' })).toBe('q1');
    expect(book.link({ ...dm, messageId: 'a2' })).toBe('q2');
    expect(book.link({ ...dm, messageId: 'a3' })).toBe('q2');
  });
});

describe('BoundedMap', () => {
  it('forgets the oldest entry at its bound', () => {
    const map = new BoundedMap<number, string>(() => 2);
    map.set(1, 'a');
    map.set(2, 'b');
    map.set(3, 'c');
    expect([map.get(1), map.get(2), map.get(3), map.size]).toEqual([undefined, 'b', 'c', 2]);
  });
});

describe('Router', () => {
  const handle = () => ({ status: 204 });
  const route = (template: string) =>
    ({ method: 'GET', template, auth: 'bot', family: 'otherRoutes', handle }) as const;
  const router = new Router([route('/users/@me'), route('/users/:userId')]);

  it('prefers what was declared first and decodes parameters', () => {
    expect(router.match({ method: 'GET', path: '/users/@me' })?.route.template).toBe('/users/@me');
    const match = router.match({ method: 'GET', path: '/users/%40you' });
    expect(match?.params).toEqual({ userId: '@you' });
  });

  it('knows no other method, no other length, no empty and no ill-encoded part', () => {
    expect(router.match({ method: 'PUT', path: '/users/@me' })).toBeUndefined();
    expect(router.match({ method: 'GET', path: '/users/@me/x' })).toBeUndefined();
    expect(router.match({ method: 'GET', path: '/users/' })).toBeUndefined();
    expect(router.match({ method: 'GET', path: '/users/%E0%A4%A' })).toBeUndefined();
  });
});
