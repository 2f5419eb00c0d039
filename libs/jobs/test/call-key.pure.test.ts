import { guildId, jobContract } from '@starling/contracts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AskedOfModel, type CallScope, callKeyOf } from '../src/index.ts';
import { jobOf, sampleJob } from './ledger-sample.ts';

const guild: CallScope = { kind: 'guild', guildId: guildId.parse('300000000000000000') };
const asked: AskedOfModel = {
  messages: [
    { role: 'system', content: 'You are Starling.' },
    { role: 'user', content: 'What is a murmuration?' },
  ],
  model: 'm',
  maxCompletionTokens: 100,
  sampling: { temperature: 0.5, stop: ['END'] },
};
const key = callKeyOf(asked, guild);

describe('the key of a call', () => {
  it('stays what it was: processes of one version agree on it [A8]', () => {
    expect(key).toBe('qlhHXi27ygWll434FuOAXA');
  });

  it('is the same whoever asks, when, and in whatever order the fields stand [A8]', () => {
    const { messages, maxCompletionTokens, model, sampling } = asked;
    const reordered = { sampling: { stop: ['END'], temperature: 0.5 }, model, messages };
    expect(callKeyOf({ maxCompletionTokens, ...reordered }, guild)).toBe(key);
    const one = sampleJob(jobOf(1), asked);
    const other = sampleJob(jobOf(2), { ...asked, acceptedAtMs: 9_000, deadlineAtMs: 69_000 });
    expect([one, { ...other, callKey: key }].map((job) => callKeyOf(job, guild))).toEqual([
      key,
      key,
    ]);
    expect(callKeyOf({ ...asked, sampling: { ...sampling, seed: undefined } }, guild)).toBe(key);
  });

  it.each<[string, Partial<AskedOfModel>]>([
    ['the question', { messages: [...asked.messages.slice(0, 1), { role: 'user', content: 'x' }] }],
    [
      'the system prompt',
      { messages: [{ role: 'system', content: 'Be rude.' }, ...asked.messages.slice(1)] },
    ],
    ['history', { messages: [{ role: 'user', content: 'before' }, ...asked.messages] }],
    ['who said it', { messages: asked.messages.map((one) => ({ ...one, role: 'assistant' })) }],
    ['the model', { model: 'n' }],
    ['the default model', { model: undefined }],
    ['the temperature', { sampling: { ...asked.sampling, temperature: 0.6 } }],
    ['other sampling', { sampling: { ...asked.sampling, seed: 1 } }],
    ['the length', { maxCompletionTokens: 101 }],
  ])('is another one for another %s [A8]', (_what, difference) => {
    expect(callKeyOf({ ...asked, ...difference }, guild)).not.toBe(key);
  });

  it('is another one in another guild, and for a caller [A8]', () => {
    const other = guildId.parse('300000000000000001');
    const keys = [
      key,
      callKeyOf(asked, { kind: 'guild', guildId: other }),
      callKeyOf(asked, { kind: 'caller', caller: 'a' }),
      callKeyOf(asked, { kind: 'caller', caller: 'b' }),
    ];
    expect(new Set(keys).size).toBe(4);
  });

  it('counts every field of a job that is not about who asks and when [A8]', () => {
    const circumstances = ['jobId', 'lane', 'origin', 'acceptedAtMs', 'deadlineAtMs', 'callKey'];
    for (const field of Object.keys(jobContract.schema.shape)) {
      const changed = callKeyOf({ ...sampleJob(jobOf(1)), [field]: 'changed' }, guild);
      const plain = callKeyOf(sampleJob(jobOf(1)), guild);
      expect([field, changed === plain]).toEqual([field, circumstances.includes(field)]);
    }
  });

  it('never takes two prompts for one: what is equal has the same bytes [A8]', () => {
    const content = fc.string({ maxLength: 4 });
    const messages = fc.array(fc.record({ role: fc.constant('user' as const), content }), {
      minLength: 1,
      maxLength: 3,
    });
    fc.assert(
      fc.property(messages, messages, (one, other) => {
        const same = JSON.stringify(one) === JSON.stringify(other);
        const keys = [one, other].map((said) => callKeyOf({ ...asked, messages: said }, guild));
        expect(keys[0] === keys[1]).toBe(same);
      }),
    );
  });
});
