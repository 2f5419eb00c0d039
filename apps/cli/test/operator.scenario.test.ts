/** What an operator does to the jobs of a whole fleet, and what its users see of it. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { deadLetters } from '../src/commands/deadletters.ts';
import { jobs } from '../src/commands/jobs.ts';
import { runCommand } from '../src/run-command.ts';
import type { Place, Said } from './discord-side.ts';
import { type FleetUnderTest, startFleetUnderTest } from './fleet-under-test.ts';

const result = z.looseObject({ ok: z.boolean() });
const list = z.object({
  jobs: z.array(
    z.object({
      jobId: z.string(),
      correlationId: z.string(),
      state: z.object({
        kind: z.string(),
        workerId: z.string().optional(),
        attempt: z.int().optional(),
      }),
    }),
  ),
});

let under: FleetUnderTest;
let places: Iterator<Place>;

beforeAll(async () => {
  under = await startFleetUnderTest('local', {
    STARLING_WORKERS: '2',
    STARLING_BALANCERS: '2',
    STARLING_DISCORD_EMULATOR_GUILDS: '10',
  });
  places = (await under.discord.places()).values();
});
afterAll(() => under[Symbol.asyncDispose]());
beforeEach(() => under.provider.forget());

/** `starling …` beside the fleet, as JSON. */
async function starling(...args: readonly string[]): Promise<unknown> {
  const out: string[] = [];
  const said: string[] = [];
  await runCommand({
    commands: [jobs, deadLetters],
    args: [...args, '--nats', under.fleet.natsUrl ?? expect.fail('no NATS'), '--json'],
    context: {
      root: resolve(import.meta.dirname, '../../..'),
      environment: () => ({}),
      out: (line) => out.push(line),
      say: (line) => said.push(line),
      stop: new AbortController().signal,
    },
  });
  return JSON.parse(out[0] ?? expect.fail(said.join('\n')));
}

/** The record of a job while it is stored. */
async function recordOf({ messageId }: Said) {
  const { jobs: stored } = list.parse(await starling('jobs', 'list'));
  return stored.find(({ jobId }) => jobId === messageId);
}

/** Waits until a worker has the job in that attempt; gives its name. */
async function runningAt(said: Said, attempt: number): Promise<string> {
  let workerId: string | undefined;
  await expect
    .poll(async () => {
      const { state } = (await recordOf(said)) ?? {};
      workerId = state?.workerId;
      return [state?.kind, state?.attempt];
    })
    .toEqual(['running', attempt]);
  return workerId ?? expect.fail();
}

/** A question whose answer takes 20 s at the provider's slow pace, and fits into one message. */
async function askSlowly(): Promise<Said> {
  const next = places.next();
  if (next.done) throw new Error('the emulated world has no more guilds');
  const { channelId, userId } = next.value;
  await under.provider.pace('slow');
  const content = 'Take your time. [[tokens:400]]';
  return await under.discord.say({ channelId, userId, mention: true, content });
}

async function ownMessages({ channelId }: Said): Promise<readonly string[]> {
  const messages = await under.discord.messages(channelId);
  return messages.filter(({ bot }) => bot).map(({ content }) => content);
}

describe('an operator', () => {
  it('takes a job from its worker; the next attempt answers, once [A7] [H5]', async () => {
    const said = await askSlowly();
    await runningAt(said, 1);
    // Its first text stands there: the provider is at it.
    await under.discord.answer(said.messageId, { quietMs: 0 });
    expect(await starling('jobs', 'release', said.messageId)).toMatchObject({ ok: true });
    // The first worker has let go of the provider's stream.
    await expect
      .poll(async () => (await under.provider.record()).requests.map(({ ending }) => ending))
      .toContain('aborted');
    await under.provider.pace('quick');
    const exchange = await under.fleet.exchanges.wait(said.messageId, 60_000);
    expect(exchange?.ending.kind).toBe('answered');
    expect(await ownMessages(said)).toEqual([expect.stringMatching(/^Simulated answer/)]);
    expect((await under.provider.record()).counts.byEnding).toEqual({ aborted: 1, complete: 1 });
  });

  it('cancels a job that runs; its user is told calmly [A10] [H5]', async () => {
    const said = await askSlowly();
    const workerId = await runningAt(said, 1);
    const correlationId = (await recordOf(said))?.correlationId ?? expect.fail();
    const cancelled = await starling('jobs', 'cancel', correlationId);
    expect(cancelled).toEqual({ ok: true, jobId: said.messageId, by: workerId });
    const exchange = await under.fleet.exchanges.wait(said.messageId, 60_000);
    expect(exchange?.ending).toEqual({ kind: 'failed', code: 'cancelled' });
    expect(await ownMessages(said)).toEqual([
      expect.stringMatching(new RegExp(`Stopped · id ${correlationId}$`)),
    ]);
  });

  it('replays a job that brought three workers down; its channel gets the answer [A1] [H5]', async () => {
    const said = await askSlowly();
    for (let attempt = 1; attempt <= 3; attempt += 1) {
      process.kill(under.pidOf(await runningAt(said, attempt)), 'SIGKILL');
    }
    const failed = await under.fleet.exchanges.wait(said.messageId, 60_000);
    expect(failed?.ending).toEqual({ kind: 'failed', code: 'gave_up' });
    const [told, ...others] = await ownMessages(said);
    expect(others).toEqual([]);
    const correlationId = failed?.correlationId ?? expect.fail();
    expect(told).toContain(`id ${correlationId}`);

    const letters = await starling('deadletters', 'list');
    expect(letters).toMatchObject({
      total: 1,
      letters: [
        {
          name: said.messageId,
          reason: { kind: 'failed', code: 'gave_up' },
          attempts: 3,
          correlationId,
        },
      ],
    });
    await under.provider.pace('quick');
    // Its failure may be on its way for a moment more.
    await expect
      .poll(async () => result.parse(await starling('deadletters', 'replay', correlationId)).ok)
      .toBe(true);
    const answered = await under.fleet.exchanges.wait(`${said.messageId}-r1`, 60_000);
    expect(answered).toMatchObject({ correlationId, ending: { kind: 'answered' } });
    expect(await ownMessages(said)).toEqual([expect.stringMatching(/^Simulated answer/)]);
    expect(await starling('deadletters', 'list')).toMatchObject({ total: 0 });
  });

  it('leaves no trace of it: nothing is owed, and no rule of Discord was broken', async () => {
    const { owed, violations } = await under.discord.record();
    expect(violations).toEqual([]);
    expect(owed).toEqual([]);
    expect(await starling('jobs', 'list')).toMatchObject({ total: 0 });
  });
});
