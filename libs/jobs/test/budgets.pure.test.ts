import { SimulatedClock } from '@starling/clock';
import { budgetsSection, parseConfig } from '@starling/config';
import { channelId, guildId, jobId, userId } from '@starling/contracts';
import { captureTelemetry } from '@starling/telemetry/testing';
import { describe, expect, it } from 'vitest';
import { admissionBudgetsOf, createMemoryAdmission } from '../src/index.ts';

const noonMs = Date.parse('2026-11-30T12:00:00Z');
const holdMs = 60_000;

function open(environment: Record<string, string>) {
  const clock = new SimulatedClock(noonMs);
  const budgets = admissionBudgetsOf(parseConfig(budgetsSection, environment));
  const admission = createMemoryAdmission({ clock, perUser: 100, perGuild: 100, budgets });
  let jobs = 0;
  const ask = async (tokens: number, who: { user?: number; roles?: readonly string[] } = {}) => {
    jobs += 1;
    const { roles = [], user = 0 } = who;
    const asker = {
      jobId: jobId.parse(`job-${jobs}`),
      userId: userId.parse(String(400_000_000_000_000_000n + BigInt(user))),
      guildId: guildId.parse('300000000000000000'),
      channelId: channelId.parse('200000000000000000'),
      roles,
    };
    const word = await admission.admit(asker, { holdMs, tokens });
    // By its ending nobody knows the roles of who asked.
    const { roles: _, ...owner } = asker;
    return { word, end: (used: number) => admission.release(owner, { tokens: used }) };
  };
  return { ask, clock };
}

describe('a budget', () => {
  it('is reserved, settled to what was used, and refuses until its day is over [D6]', async () => {
    const { ask, clock } = open({ STARLING_USER_TOKENS_PER_DAY: '1000' });
    const first = await ask(600);
    expect(await ask(600)).toMatchObject({ word: { code: 'user_budget' } });
    await first.end(350);
    const second = await ask(600);
    await second.end(600);
    const { word } = await ask(100);
    expect(word).toMatchObject({ kind: 'refused', code: 'user_budget' });
    expect('retryAtMs' in word && word.retryAtMs).toBe(Date.parse('2026-12-01T00:00:00Z'));
    expect(await ask(100, { user: 1 })).toMatchObject({ word: { kind: 'admitted' } });
    await clock.advance(12 * 3_600_000);
    expect(await ask(1_000)).toMatchObject({ word: { kind: 'admitted' } });
  });

  it('counts a question in the day that it was asked in, though it ends in the next [D6]', async () => {
    const { ask, clock } = open({ STARLING_CHANNEL_TOKENS_PER_DAY: '1000' });
    await clock.advance(12 * 3_600_000 - 10_000);
    const late = await ask(900);
    await clock.advance(20_000);
    await late.end(900);
    expect(await ask(1_000)).toMatchObject({ word: { kind: 'admitted' } });
  });

  it('may be of a month, of a guild, and of a role [D6]', async () => {
    const { ask, clock } = open({
      STARLING_USER_TOKENS_PER_DAY: '100',
      STARLING_ROLES_TOKENS_PER_DAY: '7=500',
      STARLING_GUILD_TOKENS_PER_MONTH: '800',
    });
    expect(await ask(101)).toMatchObject({ word: { code: 'user_budget' } });
    const member = { user: 1, roles: ['7'] };
    await (await ask(500, member)).end(400);
    expect(await ask(101, member)).toMatchObject({ word: { code: 'user_budget' } });
    await (await ask(100, member)).end(100);
    // 500 are spent, and 290 held.
    await ask(290, { user: 2, roles: ['7'] });
    expect(await ask(100, { user: 3 })).toMatchObject({ word: { code: 'guild_budget' } });
    // The next day is the next month's, too.
    await clock.advance(12 * 3_600_000);
    expect(await ask(100, { user: 3 })).toMatchObject({ word: { kind: 'admitted' } });
  });

  it('is told of once when four fifths of it are used [D6]', async () => {
    await using telemetry = captureTelemetry();
    const { ask } = open({ STARLING_USER_TOKENS_PER_DAY: '1000' });
    for (const used of [700, 99, 1, 10, 10]) await (await ask(used)).end(used);
    const told = telemetry.lines.filter(({ event }) => event === 'budget.near');
    expect(told).toHaveLength(1);
    expect(told[0]?.detail).toMatchObject({ used: 800, permits: 1_000 });
  });
});
