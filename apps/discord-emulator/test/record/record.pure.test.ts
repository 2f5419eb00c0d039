import { SimulatedClock } from '@starling/clock';
import { describe, expect, it } from 'vitest';
import { createKnobs, type KnobsInput } from '../../src/core/knobs.ts';
import type { AddressedEvent, AnsweredEvent } from '../../src/core/ports.ts';
import { nonceFamily } from '../../src/record/owed.ts';
import { createRecord } from '../../src/record/record.ts';

function judge(knobs: KnobsInput = {}) {
  const clock = new SimulatedClock();
  const record = createRecord({ clock, knobs: createKnobs(knobs) });
  const asked = (id: string, over: Partial<AddressedEvent> = {}) =>
    record.addressed({
      kind: 'message',
      id,
      channelId: 'c',
      guildId: 'g',
      userId: 'u',
      atMs: clock.nowMs(),
      owners: 1,
      ...over,
    });
  const said = (messageId: string, over: Partial<AnsweredEvent> = {}) =>
    record.answered({ messageId, channelId: 'c', atMs: clock.nowMs(), ...over });
  const rules = () => record.query().violations.map(({ rule }) => rule);
  return { clock, record, asked, said, rules };
}

describe('unanswered', () => {
  it('convicts a bot that says nothing in time and acquits one that answers', async () => {
    const { clock, record, asked, said } = judge();
    asked('1');
    asked('2');
    said('a', { toId: '2' });
    await clock.advance(60_000);
    expect(record.query()).toMatchObject({ violations: [], owed: [{ id: '1', ageMs: 60_000 }] });
    await clock.advance(1);
    expect(record.query()).toMatchObject({
      violations: [{ rule: 'unanswered', detail: { id: '1', ageMs: 60_001, owners: 1 } }],
      violationCounts: { unanswered: 1 },
      owed: [],
      answered: 1,
      lost: 1,
    });
    expect(record.query().violations).toHaveLength(1);
    expect(record.query({ answerDueMs: 100_000 }).violations).toEqual([]);
  });

  it('tells a message that had no owner from a lost one, and forgives one taken back', async () => {
    const { clock, record, asked } = judge();
    asked('1', { owners: 0 });
    asked('2');
    record.withdrawn({ id: '2' });
    await clock.advance(60_001);
    expect(record.query()).toMatchObject({ violationCounts: { unanswered: 1 }, lost: 0 });
  });

  it('forgives a deleted answer to a message that was taken back before', async () => {
    const { clock, asked, said, record, rules } = judge();
    asked('1');
    said('a', { toId: '1', nonce: 'n' });
    record.withdrawn({ id: '1' });
    record.deleted({ messageId: 'a', atMs: clock.nowMs() });
    await clock.advance(60_001);
    expect(rules()).toEqual([]);
  });

  it('is owed again when the bot deletes its only answer', async () => {
    const { clock, asked, said, record, rules } = judge();
    asked('1');
    said('a', { toId: '1', nonce: 'n' });
    record.deleted({ messageId: 'a', atMs: clock.nowMs() });
    await clock.advance(60_001);
    expect(rules()).toEqual(['unanswered']);
    said('b', { toId: '1', nonce: 'n' });
    expect(rules()).toEqual([]);
  });
});

describe('answered_twice', () => {
  it.each([
    ['no nonce', undefined, undefined],
    ['nonces of two jobs', 'job-1', 'other-1'],
    ['hashes for nonces', 'Zk3xQ', 'p9_aB'],
    ['one nonce twice', 'job-1', 'job-1'],
  ])('convicts two replies with %s', (_what, first, second) => {
    const { asked, said, record } = judge();
    asked('1');
    said('a', { toId: '1', ...(first && { nonce: first }) });
    said('b', { toId: '1', ...(second && { nonce: second }) });
    expect(record.query().violations).toMatchObject([
      { rule: 'answered_twice', detail: { toId: '1', firstMessageId: 'a', secondMessageId: 'b' } },
    ]);
  });

  it('convicts a later part that is sent again under its nonce', () => {
    const { asked, said, rules } = judge();
    asked('1');
    said('a', { toId: '1', nonce: 'job-0' });
    said('b', { nonce: 'job-1' });
    said('c', { nonce: 'job-1' });
    expect(rules()).toEqual(['answered_twice']);
  });

  it('acquits continuations: by nonce, without a reference, or inferred', () => {
    const { asked, said, rules, record } = judge();
    asked('1');
    said('a', { toId: '1', nonce: 'job-0' });
    said('b', { toId: '1', nonce: 'job-1' });
    said('c', { nonce: 'job-2' });
    said('d', { toId: '1', inferred: true });
    said('a', { toId: '1', nonce: 'job-0' });
    said('e');
    expect(rules()).toEqual([]);
    expect(record.query().answered).toBe(1);
  });

  it('takes an unreferenced direct message as the answer to the oldest that is owed there', async () => {
    const { clock, asked, said, record } = judge();
    const { guildId: _guild, ...dm } = { guildId: 'g' };
    for (const id of ['1', '2']) {
      record.addressed({
        kind: 'message',
        id,
        channelId: 'c',
        userId: 'u',
        atMs: 0,
        owners: 1,
        ...dm,
      });
    }
    asked('3', { channelId: 'x' });
    said('a');
    await clock.advance(0);
    expect(record.query().violations.map(({ detail }) => detail.id)).toEqual(['2']);
  });

  it('convicts a second callback for one interaction', () => {
    const { clock, asked, said, record, rules } = judge();
    asked('1', { kind: 'interaction' });
    record.acknowledged({ interactionId: '1', atMs: clock.nowMs() });
    said('a', { toId: '1' });
    said('b', { toId: '1' });
    expect(rules()).toEqual([]);
    record.acknowledged({ interactionId: '1', atMs: clock.nowMs() });
    expect(rules()).toEqual(['acknowledged_twice']);
  });

  it('reads the family of a nonce only from a part number', () => {
    expect(nonceFamily('job-12')).toBe('job');
    expect(nonceFamily('ab-cd.3')).toBe('ab-cd');
    for (const whole of ['Zk3xQ', 'a-b', '-1', 'job-1234']) expect(nonceFamily(whole)).toBe(whole);
    expect(nonceFamily(undefined)).toBeUndefined();
  });
});

describe('interaction_expired', () => {
  it('convicts an owner that answers after 3 s or never', async () => {
    const { clock, asked, record, rules } = judge();
    record.delivered({ interactionId: '1', atMs: clock.nowMs() });
    asked('1', { kind: 'interaction' });
    asked('2', { kind: 'interaction' });
    record.delivered({ interactionId: '2', atMs: clock.nowMs() });
    await clock.advance(3001);
    expect(rules()).toEqual(['interaction_expired', 'interaction_expired']);
    record.acknowledged({ interactionId: '1', atMs: clock.nowMs() });
    expect(rules()).toEqual(['interaction_expired', 'interaction_expired']);
  });

  it('counts one that nobody held in time as expired, apart from lost and without a violation', async () => {
    const { clock, asked, record } = judge();
    asked('1', { kind: 'interaction', owners: 0 });
    asked('2', { kind: 'interaction' });
    await clock.advance(3001);
    record.delivered({ interactionId: '2', atMs: clock.nowMs() });
    expect(record.query()).toMatchObject({
      violations: [],
      counts: { expired: 2 },
      expired: [{ id: '1' }, { id: '2' }],
      lost: 0,
    });
  });

  it('acquits a deferral in time, and then expects the answer', async () => {
    const { clock, asked, record, rules } = judge();
    asked('1', { kind: 'interaction' });
    record.delivered({ interactionId: '1', atMs: clock.nowMs() });
    await clock.advance(2900);
    record.acknowledged({ interactionId: '1', atMs: clock.nowMs() });
    await clock.advance(50_000);
    expect(rules()).toEqual([]);
    await clock.advance(10_000);
    expect(rules()).toEqual(['unanswered']);
  });
});

describe('edits_over_limit', () => {
  it('convicts the sixth edit of a channel in 5 s and acquits a slower one', async () => {
    const { clock, record, rules } = judge();
    const edit = (channelId: string) =>
      record.edited({ messageId: 'm', channelId, atMs: clock.nowMs() });
    for (let edits = 0; edits < 20; edits++) {
      edit('slow');
      await clock.advance(1000);
    }
    expect(rules()).toEqual([]);
    for (let edits = 0; edits < 6; edits++) edit('fast');
    expect(rules()).toEqual(['edits_over_limit']);
  });
});

describe('the record', () => {
  it('keeps so many violations and counts them all; a reset forgets everything', () => {
    const { record, asked } = judge({ violationsKept: 2 });
    for (let found = 0; found < 5; found++) {
      record.violation({ rule: 'invalid_request', atMs: 0, detail: {} });
    }
    record.count('identifies');
    asked('1');
    expect(record.query()).toMatchObject({
      violationCounts: { invalid_request: 5 },
      counts: { identifies: 1, waiting: 1 },
    });
    expect(record.query().violations).toHaveLength(2);
    record.reset();
    expect(record.query()).toEqual({
      violations: [],
      violationCounts: {},
      counts: { waiting: 0, expired: 0 },
      owed: [],
      answered: 0,
      expired: [],
      lost: 0,
      forgotten: 0,
    });
  });

  it('forgets answered entries before owed ones at its bound, and says so', () => {
    const { record, asked, said } = judge({ owedKept: 2 });
    asked('1');
    asked('2');
    said('a', { toId: '1' });
    asked('3');
    expect(record.query()).toMatchObject({ owed: [{ id: '2' }, { id: '3' }], forgotten: 0 });
    asked('4');
    expect(record.query()).toMatchObject({ owed: [{ id: '3' }, { id: '4' }], forgotten: 1 });
  });
});
