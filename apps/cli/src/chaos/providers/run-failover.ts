/** Asks one question for each way in which a provider can fail, and judges by what stands below it. */
import type { Clock } from '@starling/clock';
import { awaitAnswer, type SeenEnd } from './await-answer.ts';
import { type FailoverScenario, failoverScenarios, usually } from './failover-scenarios.ts';
import type { SeenCall } from './provider-door.ts';
import type { ProviderFleet } from './provider-fleet.ts';

/** One scenario as it went. Times are milliseconds after the question. */
export interface FailoverRow {
  readonly scenario: string;
  readonly pass: boolean;
  /** Until the answer, or the honest failure, stood there in its last form. */
  readonly answerMs: number | undefined;
  readonly firstTextMs: number | undefined;
  /** The bounds on both. */
  readonly withinMs: number;
  readonly firstTextWithinMs: number;
  /** What was read in the end: whose answer, or a note. */
  readonly saw: string;
  /** Calls that the provider got, of each rung. */
  readonly calls: { readonly first: number; readonly second: number };
  readonly problem?: string;
}

interface FailoverParts {
  readonly fleet: ProviderFleet;
  readonly seed: number;
  readonly clock: Clock;
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

/** Longer than any of them may take: a late answer is told as late, not as none. */
const waitMs = 15_000;
const models = { first: 'first-rung', second: 'second-rung' };

export async function runFailover(parts: FailoverParts): Promise<readonly FailoverRow[]> {
  const { fleet, say, seed } = parts;
  await fleet.provider.setModels(Object.values(models), { seed });
  const rows: FailoverRow[] = [];
  const add = (row: FailoverRow) => {
    rows.push(row);
    const { answerMs, pass, problem = '', saw, scenario } = row;
    say(`  ${pass ? '✔' : '✖'} ${scenario}: ${saw}, ${Math.round(answerMs ?? 0)} ms ${problem}`);
  };
  for (const [n, scenario] of failoverScenarios.entries()) add(await fails(parts, scenario, n));
  add(await rotates(parts, failoverScenarios.length));
  add(await deadKey(parts, failoverScenarios.length + 2));
  return rows;
}

async function fails(
  parts: FailoverParts,
  scenario: FailoverScenario,
  n: number,
): Promise<FailoverRow> {
  const { fleet, seed } = parts;
  const { fault, name, place, sees, ...bounds } = scenario;
  await fleet.provider.setFaults(fault ? [{ match: { model: models.first }, fault }] : [], seed);
  const baseUrl = place?.(fleet.emulatorUrl);
  const first = { model: models.first, ...(baseUrl && { baseUrl }) };
  await fleet.climb(name, [first, { model: models.second }]);
  const seen = await ask(parts, n);
  const calls = countsOf(await fleet.provider.calls(), n);
  const struck = baseUrl !== undefined || calls.first > 0;
  const problem = struck ? whyNot(seen, sees, bounds) : 'the first rung was never called';
  return rowOf({ name, bounds, seen, calls, problem });
}

/** The provider takes a new key instead of the old one: the file is changed, and the next question is answered. */
async function rotates(parts: FailoverParts, n: number): Promise<FailoverRow> {
  const { fleet, seed } = parts;
  const [before, after] = ['chaos-key-before-0123456789', 'chaos-key-after-0123456789'];
  await fleet.provider.setFaults([], seed);
  fleet.writeKey('rotated.key', before);
  const names = Object.values(models);
  await fleet.provider.setModels(names, { seed, acceptedKeys: [before] });
  await fleet.climb('rotated', [{ model: models.first, keyFiles: ['rotated.key'] }]);
  const first = await ask(parts, n);
  await fleet.provider.setModels(names, { seed, acceptedKeys: [after] });
  fleet.writeKey('rotated.key', after);
  await fleet.climb('rotated', [{ model: models.first, keyFiles: ['rotated.key'] }]);
  const seen = await ask(parts, n + 1);
  await fleet.provider.setModels(names, { seed });
  const calls = countsOf(await fleet.provider.calls(), n + 1);
  const problem =
    readerOf(first) === 'first' ? whyNot(seen, 'first', usually) : 'not answered before the change';
  return rowOf({ name: 'key-rotated', bounds: usually, seen, calls, problem });
}

/** Of three keys one is refused: few questions may touch it, and all are answered by the others. */
async function deadKey(parts: FailoverParts, from: number): Promise<FailoverRow> {
  const { fleet, seed } = parts;
  const keys = [
    'chaos-key-one-0123456789',
    'chaos-key-dead-0123456789',
    'chaos-key-two-0123456789',
  ];
  const keyFiles = keys.map((key, n) => {
    const name = `three-${n}.key`;
    fleet.writeKey(name, key);
    return name;
  });
  const dead = { model: models.first, key: keys[1] ?? '' };
  await fleet.provider.setFaults([{ match: dead, fault: { kind: 'status', status: 401 } }], seed);
  await fleet.climb('three-keys', [{ model: models.first, keyFiles }]);
  const questions = 20;
  const ends: SeenEnd[] = [];
  for (let n = 0; n < questions; n += 1) ends.push(await ask(parts, from + n));
  const calls = (await fleet.provider.calls()).filter(({ tag = -1 }) => tag >= from);
  const refused = calls.filter(({ fault }) => fault !== undefined).length;
  const whole = ends.filter((end) => readerOf(end) === 'first').length;
  const slowest = ends.reduce((a, b) => ((a.answerMs ?? 0) > (b.answerMs ?? 0) ? a : b));
  const problem =
    whole < questions
      ? `${whole} of ${questions} were answered`
      : refused < 1 || refused > 3
        ? `${refused} calls touched the dead key, 1 to 3 are expected`
        : undefined;
  const told = { first: calls.length, second: 0 };
  return rowOf({ name: 'dead-key-of-three', bounds: usually, seen: slowest, calls: told, problem });
}

async function ask({ clock, fleet, signal }: FailoverParts, n: number): Promise<SeenEnd> {
  const { discord, speaker } = fleet;
  const content = `Question ${n}: how do starlings turn together? [[tag:${n}]]`;
  const { messageId } = await discord.say({ ...speaker(n), content });
  return await awaitAnswer({ ...{ clock, discord, messageId, signal }, withinMs: waitMs });
}

/** Whose words stand there, as a reader can tell: every answer of the emulator names its model. */
function readerOf({ text, verdict }: SeenEnd): string {
  if (verdict !== 'whole') return verdict;
  const names = Object.entries(models).filter(([, model]) => text.includes(model));
  return names.map(([rung]) => rung).join(' and ') || 'an answer of nobody';
}

function countsOf(calls: readonly SeenCall[], n: number): FailoverRow['calls'] {
  const of = (name: string) => calls.filter(({ model, tag }) => tag === n && model === name).length;
  return { first: of(models.first), second: of(models.second) };
}

type Bounds = Pick<FailoverScenario, 'firstTextWithinMs' | 'withinMs'>;

function whyNot(seen: SeenEnd, sees: string, bounds: Bounds): string | undefined {
  if (readerOf(seen) !== sees) return `${sees} is expected`;
  const { answerMs = late, firstTextMs = late } = seen;
  const { firstTextWithinMs, withinMs } = bounds;
  if (firstTextMs > firstTextWithinMs) return `first text later than ${firstTextWithinMs} ms`;
  return answerMs > withinMs ? `later than ${withinMs} ms` : undefined;
}

const late = Number.POSITIVE_INFINITY;

function rowOf(of: {
  readonly name: string;
  readonly bounds: Bounds;
  readonly seen: SeenEnd;
  readonly calls: FailoverRow['calls'];
  readonly problem: string | undefined;
}): FailoverRow {
  const { bounds, calls, name, problem, seen } = of;
  const { firstTextWithinMs, withinMs } = bounds;
  return {
    ...{ scenario: name, pass: problem === undefined, saw: readerOf(seen) },
    ...rounded({ answerMs: seen.answerMs, firstTextMs: seen.firstTextMs }),
    ...{ withinMs, firstTextWithinMs, calls, ...(problem !== undefined && { problem }) },
  };
}

function rounded(times: Pick<FailoverRow, 'answerMs' | 'firstTextMs'>) {
  const whole = (ms: number | undefined) => (ms === undefined ? undefined : Math.round(ms));
  return { answerMs: whole(times.answerMs), firstTextMs: whole(times.firstTextMs) };
}
