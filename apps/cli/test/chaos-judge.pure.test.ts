import { describe, expect, it } from 'vitest';
import { verdictOf } from '../src/chaos/answer-verdict.ts';
import { type ChaosFacts, fateOf, type JudgedMessage, judge } from '../src/chaos/judge.ts';
import type { Strike } from '../src/chaos/strikes.ts';

const message = (changes: Partial<JudgedMessage> = {}): JudgedMessage => ({
  id: '1',
  n: 1,
  userId: '9',
  dueMs: 10_000,
  saidMs: 10_005,
  owners: 1,
  calls: [{ startMs: 10_100, endMs: 11_000 }],
  stored: true,
  owed: false,
  verdict: 'whole',
  ...changes,
});

const strike = (changes: Partial<Strike> = {}): Strike => ({
  fault: 'kill-worker',
  target: 'worker-1',
  streaming: 20,
  atMs: 9_000,
  overMs: 10_000,
  ...changes,
});

const record: ChaosFacts['record'] = {
  counts: { waiting: 0 },
  expired: [],
  forgotten: 0,
  owed: [],
  violationCounts: {},
};

/** Stopped in mid-stream, and the stream closed with it. */
const stopped = (n: number) =>
  message({
    id: `stopped ${n}`,
    verdict: 'note',
    calls: [{ startMs: 10_100, endMs: 11_100 }],
    interruption: { kind: 'stop', atMs: 11_000 },
  });

/** A run in which all held, and what is changed of it. */
const facts = (changes: Partial<ChaosFacts> = {}): ChaosFacts => ({
  messages: [
    ...Array.from({ length: 117 }, (_, n) => message({ id: String(n) })),
    ...[1, 2, 3].map(stopped),
  ],
  strikes: [strike(), strike(), strike()],
  record,
  unsent: 0,
  stranded: [],
  troubles: [],
  ...changes,
});

/** The run of {@link facts} with one more message. */
const withOne = (one: Partial<JudgedMessage>, strikes: readonly Strike[] = facts().strikes) =>
  judge(facts({ messages: [...facts().messages, message({ id: 'one', ...one })], strikes }));

describe('what becomes of a message', () => {
  it.each([
    [{ stored: true, verdict: 'whole' }, 'answered'],
    [{ stored: true, verdict: 'note' }, 'failed'],
    [{ stored: true, verdict: 'halfway' }, 'unfinished'],
    [{ stored: true, verdict: 'none', owed: true }, 'lost'],
    [{ stored: true, verdict: 'none' }, 'lost'],
    [{ stored: false, verdict: 'whole' }, 'answered'],
    [{ stored: false, verdict: 'note' }, 'refused'],
    [{ stored: false, verdict: 'none', owed: true }, 'missed'],
  ] as const)('%o is %s', (seen, fate) => {
    expect(fateOf(message(seen), [strike()])).toBe(fate);
  });

  it('is the fault of nobody while a cluster was dead, or died before it could store it', () => {
    const dead = strike({ fault: 'kill-bot', atMs: 12_000, overMs: 20_000 });
    const unstored = { stored: false, verdict: 'none', owed: true } as const;
    const at = (dueMs: number) =>
      fateOf(message({ ...unstored, dueMs, saidMs: dueMs + 5 }), [dead]);
    expect([5_000, 7_000, 12_000, 19_999, 20_001].map(at)).toEqual([
      'missed',
      'absent',
      'absent',
      'absent',
      'missed',
    ]);
  });
});

describe('the verdict on a run', () => {
  it('holds when every accepted message has its one answer', () => {
    const { problems, tally } = judge(facts());
    expect(problems).toEqual([]);
    expect(tally).toMatchObject({
      said: 120,
      accepted: 120,
      answered: 117,
      stopped: 3,
      takenBack: 3,
    });
    expect(tally).toMatchObject({ lost: 0, doubled: 0, late: 0, takenOver: 0, streamedOn: 0 });
  });

  it('accounts for each message once', () => {
    const verdicts = ['whole', 'note', 'halfway', 'none'] as const;
    const kinds = [undefined, 'stop', 'delete'] as const;
    const messages = verdicts.flatMap((verdict) =>
      [true, false].flatMap((stored) =>
        kinds.map((kind) =>
          message({ verdict, stored, ...(kind && { interruption: { kind, atMs: 11_000 } }) }),
        ),
      ),
    );
    const { tally } = judge(facts({ messages }));
    const { answered, failed, stopped: ended, unfinished, withdrawn, lost } = tally;
    expect(tally.accepted).toBe(answered + failed + ended + withdrawn + unfinished + lost);
    expect(tally.said).toBe(tally.accepted + tally.refused + tally.notAccepted);
  });

  it.each([
    ['lost', { verdict: 'none', owed: true }, '1 accepted messages are lost'],
    ['half an answer', { verdict: 'halfway' }, '1 answers were left unfinished'],
    [
      'dropped',
      { stored: false, verdict: 'none' },
      '1 messages were dropped although every cluster was there',
    ],
  ] as const)('does not hold with one message %s', (_, one, problem) => {
    expect(withOne(one).problems).toEqual([problem]);
  });

  it('holds with an honest failure and with a calm refusal', () => {
    expect(withOne({ verdict: 'note' })).toMatchObject({ problems: [], tally: { failed: 1 } });
    expect(withOne({ verdict: 'note', stored: false })).toMatchObject({
      problems: [],
      tally: { refused: 1 },
    });
  });

  it('does not hold when the fleet mostly apologises', () => {
    const messages = facts().messages.map((one, n) =>
      n === 0 || n === 50 ? { ...one, verdict: 'note' as const } : one,
    );
    expect(judge(facts({ messages })).problems).toEqual([
      'only 115 of 117 accepted messages were answered by the model',
    ]);
  });

  it('allows doubles only to a Redis that lost everything, as many as streamed then', () => {
    const doubled = { ...record, violationCounts: { answered_twice: 20 } };
    const emptied = [strike(), strike(), strike({ fault: 'restart-redis-empty' })];
    expect(judge(facts({ record: doubled })).problems).toEqual(['20 messages were answered twice']);
    expect(judge(facts({ record: doubled, strikes: emptied })).problems).toEqual([]);
  });

  it.each([
    ['too few strikes', { strikes: [strike(), strike()] }],
    ['strikes without load', { strikes: [strike(), strike(), strike({ streaming: 4 })] }],
    ['too few messages', { messages: facts().messages.slice(-99) }],
    ['a load that was not sent', { unsent: 1 }],
    ['jobs left behind', { stranded: ['1'] }],
    ['a process that stayed away', { troubles: ['worker-1 was not back after 60 s'] }],
    ['a broken rule', { record: { ...record, violationCounts: { identify_too_early: 1 } } }],
    ['a record that forgot', { record: { ...record, forgotten: 1 } }],
    ['a record that lists a part', { record: { ...record, counts: { waiting: 1001 } } }],
  ] as const)('does not hold with %s', (_, changes) => {
    expect(judge(facts(changes)).problems).toHaveLength(1);
  });

  it.each(['pause-worker', 'cut-network'] as const)('wants %s to have made a zombie', (fault) => {
    const strikes = Array.from({ length: 3 }, () => strike({ fault }));
    const [call] = message().calls;
    const again = message({ calls: call ? [call, call] : [] });
    expect(judge(facts({ strikes, messages: [...facts().messages, again] })).problems).toEqual([]);
    expect(judge(facts({ strikes })).problems).toEqual([
      'no job was taken over: whatever was held was back within its lease',
    ]);
    expect(judge(facts({ strikes: [strike(), ...strikes] })).problems).toEqual([]);
  });

  it('holds each message to its own deadline and 15 s', () => {
    expect(withOne({ endedMs: 10_000 + 75_000 }).problems).toEqual([]);
    expect(withOne({ endedMs: 10_000 + 75_001 }).problems).toEqual([
      '1 messages ended later than 75 s',
    ]);
    expect(withOne({ verdict: 'note', endedMs: 90_000 }).problems).toHaveLength(1);
  });

  it('forgives the buttons of a killed cluster, and of no other', () => {
    const pressed = {
      ...record,
      violationCounts: { interaction_expired: 1, acknowledged_twice: 2 },
      counts: { waiting: 1 },
    };
    expect(judge(facts({ record: pressed })).problems).toHaveLength(1);
    const strikes = [strike(), strike(), strike({ fault: 'kill-bot' })];
    expect(judge(facts({ record: pressed, strikes })).problems).toEqual([]);
  });

  it('leaves what is owed to messages that nobody could accept to their own count', () => {
    const violations = { unanswered: 3 };
    expect(judge(facts({ record: { ...record, violationCounts: violations } }))).toMatchObject({
      problems: [],
      tally: { violations: {} },
    });
  });
});

describe('a question that is taken back', () => {
  const calls = (...ends: readonly (number | undefined)[]) =>
    ends.map((endMs) => ({ startMs: 10_100, ...(endMs !== undefined && { endMs }) }));
  const taken = (kind: 'stop' | 'delete', changes: Partial<JudgedMessage> = {}) =>
    withOne({ interruption: { kind, atMs: 11_000 }, verdict: 'note', ...changes }, [
      strike({ atMs: 100, overMs: 200 }),
      strike({ atMs: 300, overMs: 400 }),
      strike({ atMs: 40_000, overMs: 41_000 }),
    ]);

  it('is stopped or withdrawn, and neither lost nor an apology', () => {
    expect(taken('stop').tally).toMatchObject({ stopped: 4, withdrawn: 0, failed: 0 });
    expect(taken('delete').tally).toMatchObject({ stopped: 3, withdrawn: 1, failed: 0 });
    expect(taken('delete', { verdict: 'none' })).toMatchObject({
      problems: [],
      tally: { lost: 0 },
    });
  });

  it('is lost when nothing says that it was stopped', () => {
    expect(taken('stop', { verdict: 'none' }).tally.lost).toBe(1);
    expect(taken('stop', { verdict: 'halfway' }).tally.unfinished).toBe(1);
    expect(taken('delete', { verdict: 'halfway' }).tally.unfinished).toBe(1);
  });

  it('closes every stream of the model within seconds', () => {
    const problem = '1 streams of the model went on for questions that were taken back';
    expect(taken('stop', { calls: calls(13_900) }).problems).toEqual([]);
    expect(taken('stop', { calls: calls(14_100) }).problems).toEqual([problem]);
    expect(taken('delete', { calls: calls(11_100, undefined) }).problems).toEqual([problem]);
  });

  it('may be heard later by what a fault struck just then', () => {
    const struck = [strike(), strike(), strike({ atMs: 10_500, overMs: 13_000 })];
    const ends = (endMs: number) =>
      withOne({ interruption: { kind: 'stop', atMs: 11_000 }, calls: calls(endMs) }, struck);
    expect(ends(23_900).problems).toEqual([]);
    expect(ends(24_100).problems).toHaveLength(1);
  });

  it('has to happen, or the run has shown nothing', () => {
    const messages = facts().messages.filter(({ interruption }) => !interruption);
    expect(judge(facts({ messages })).problems).toEqual([
      'no question was taken back while its answer streamed',
    ]);
  });
});

describe('what a person sees below a question', () => {
  it.each([
    ['', 'none'],
    ['Simulated answer from sim-small; no real language model was asked. So it is.', 'whole'],
    ['Simulated answer from sim-small; no real', 'halfway'],
    ['…', 'halfway'],
    ['The provider did not answer · try again <t:1700000000:R> · id 0123abcd', 'note'],
    ['Simulated answer from\n\nThe answer was cut · id 0123abcd', 'note'],
  ] as const)('%j is %s', (text, verdict) => {
    expect(verdictOf(text)).toBe(verdict);
  });
});
