import {
  type BreakName,
  balancerReport,
  balancerStudy,
  breakNames,
  fleetStudy,
  type StudyRow,
} from '@starling/sim';
import { type ParsedArguments, UsageError } from '../arguments.ts';
import type { Command, CommandContext } from '../command.ts';

const maxSeed = 1_000_000_000;
const studies = ['balancer', 'fleet'] as const;

/** Seeded simulations of the real cores: the design's numbers, and its promises under faults. */
export const sim: Command = {
  name: 'sim',
  usage: 'balancer|fleet [--seed N] [--seeds N] [--jobs N] [--break RULE] [--json]',
  summary: 'simulate: compare the designs of the balancer, or break the whole fleet and judge it',
  options: {
    seed: { type: 'string', value: 'N', doc: 'the first seed; 1' },
    seeds: {
      type: 'string',
      value: 'N',
      doc: 'how many, one after another; balancer 2, fleet 200',
    },
    jobs: { type: 'string', value: 'N', doc: 'balancer: jobs of the steady situation; 100000' },
    break: { type: 'string', value: 'RULE', doc: `fleet: swap a rule: ${breakNames.join(', ')}` },
    json: { type: 'boolean', doc: 'end in one line of JSON' },
  },
  async run(args, context) {
    const study = studies.find((name) => name === args.words[0]);
    if (!study || args.words.length > 1) {
      throw new UsageError(`${args.words.join(' ') || 'nothing'}: give ${studies.join(' or ')}`);
    }
    const seed = args.integer('seed', { min: 0, max: maxSeed }) ?? 1;
    return study === 'fleet' ? fleet(seed, args, context) : balancer(seed, args, context);
  },
};

function balancer(seed: number, args: ParsedArguments, context: CommandContext): number {
  const seeds = args.integer('seeds', { min: 1, max: 100 }) ?? 2;
  const jobs = args.integer('jobs', { min: 1_000, max: 10_000_000 }) ?? 100_000;
  const rows: StudyRow[] = [];
  for (const row of balancerStudy({ seed, seeds, jobs })) {
    context.stop.throwIfAborted();
    rows.push(row);
    context.say(
      `${row.situation} ${row.design}, ${row.balancers} balancers: wait p99 ${row.waitP99Ms} ms`,
    );
  }
  const report = balancerReport(rows);
  print(report, args, context);
  return report.ok ? 0 : 1;
}

function fleet(seed: number, args: ParsedArguments, context: CommandContext): number {
  const seeds = args.integer('seeds', { min: 1, max: 100_000 }) ?? 200;
  const broken = brokenOf(args);
  const study = fleetStudy({
    seed,
    seeds,
    ...(broken && { broken }),
    onSeed: (result) => {
      context.stop.throwIfAborted();
      for (const { promise, detail } of result.violations.slice(0, 3)) {
        context.say(`seed ${result.seed}: ${promise}: ${detail}`);
      }
    },
  });
  if (study.replay) context.say(`again: ${study.replay}`);
  print(study, args, context);
  return study.ok ? 0 : 1;
}

function brokenOf(args: ParsedArguments): BreakName | undefined {
  const given = args.text('break');
  const known = breakNames.find((name) => name === given);
  if (given !== undefined && !known) {
    throw new UsageError(`--break ${given}: give one of ${breakNames.join(', ')}`);
  }
  return known;
}

function print(result: object, args: ParsedArguments, context: CommandContext): void {
  if (args.flag('json')) context.out(JSON.stringify(result));
  else
    for (const [name, value] of Object.entries(result))
      context.out(`${name}: ${JSON.stringify(value)}`);
}
