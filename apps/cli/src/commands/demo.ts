import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@starling/clock';
import { type PhaseTimes, phaseNames } from '@starling/contracts';
import { UsageError } from '../arguments.ts';
import type { Command } from '../command.ts';
import { isDemoFault, plantFault } from '../fleet/demo-faults.ts';
import type { RunningFleet } from '../fleet/fleet.ts';
import { anyPorts, planFleet } from '../fleet/plan.ts';
import { simulatedOnly } from '../fleet/simulated-only.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import type { PeopleDoor, Saying } from '../people-door.ts';
import { exchangeLines } from '../screen/exchange-lines.ts';
import { isAsExpected, type Outcome } from './demo-verdict.ts';

/** Longer than the deadline of a job, so that its honest failure is seen as well. */
const waitMs = 90_000;
/** An answer that stood unchanged for this long after its exchange ended is final. */
const quietMs = 300;

const tour: readonly Saying[] = [
  { content: 'What is a murmuration?', dm: false },
  { content: 'And how do starlings avoid flying into each other?', dm: false },
  { content: 'Show me a short code example. [[markdown]]', dm: true },
];

/** Starts a fleet of its own on free ports, writes to it as a person would, shows the answers, ends it. */
export const demo: Command = {
  name: 'demo',
  usage: '[--once] [--embedded] [--message "text"] [--fault provider-500] [--json]',
  summary: 'a fleet of its own: up, messages as a person would write them, down',
  options: {
    once: { type: 'boolean', doc: 'one message only' },
    embedded: { type: 'boolean', doc: 'one process, without NATS and Redis' },
    message: { type: 'string', value: '"text"', doc: 'the text to send, as given' },
    fault: { type: 'string', value: 'provider-500', doc: 'what goes wrong meanwhile' },
    json: { type: 'boolean', doc: 'end in one line of JSON' },
  },
  async run(args, context) {
    const fault = args.text('fault');
    if (fault !== undefined && !isDemoFault(fault)) {
      throw new UsageError(`--fault ${fault}: there is only provider-500`);
    }
    const message = args.text('message');
    const sayings = message === undefined ? tour : [{ content: message, dm: false }];
    const environment = simulatedOnly(context.environment);
    const directory = await mkdtemp(join(tmpdir(), 'starling-demo-'));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(directory, { recursive: true, force: true }));
    const { fleet } = await startFleet(args.flag('embedded') ? 'embedded' : 'local', {
      plan: { ...planFleet(environment), ports: anyPorts },
      environment,
      root: context.root,
      directory,
      clock: systemClock,
      say: context.say,
      signal: context.stop,
    });
    stack.use(fleet);
    const { door } = fleet;
    if (!door) throw new Error('the demo needs the simulated Discord');
    if (fault) await plantFault(fleet, fault);

    const outcomes: Outcome[] = [];
    for (const saying of args.flag('once') ? sayings.slice(0, 1) : sayings) {
      context.say(`\n> ${saying.content}`);
      const outcome = await ask(fleet, door, saying);
      outcomes.push(outcome);
      context.say(outcome.answer.text || '(no answer)');
      for (const line of outcome.exchange ? exchangeLines(outcome.exchange) : []) context.say(line);
    }
    const asked = { withFault: fault !== undefined, ownText: message !== undefined };
    const violations = await door.violations();
    for (const rule of violations) context.say(`✖ the emulator saw: ${rule}`);
    await stack.disposeAsync();
    const ok = violations.length === 0 && outcomes.every((outcome) => isAsExpected(outcome, asked));
    const last = outcomes.at(-1);
    if (args.flag('json') && last) {
      context.out(JSON.stringify(jsonLine({ ok, fleet, last, violations: violations.length })));
    } else {
      context.say(ok ? '\n✔ all as it should be' : '\n✖ not as it should be');
    }
    return ok ? 0 : 1;
  },
};

async function ask(fleet: RunningFleet, door: PeopleDoor, saying: Saying): Promise<Outcome> {
  const said = await door.say(saying);
  const exchange = await fleet.exchanges.wait(said.messageId, waitMs);
  return {
    saying,
    exchange,
    answer: await door.answer(said.messageId, { timeoutMs: 5_000, quietMs }),
  };
}

function jsonLine(facts: {
  readonly ok: boolean;
  readonly fleet: RunningFleet;
  readonly last: Outcome;
  readonly violations: number;
}): Record<string, unknown> {
  const { answer, exchange } = facts.last;
  const failed = exchange !== undefined && exchange.ending.kind !== 'answered';
  return {
    ok: facts.ok,
    mode: facts.fleet.mode,
    [failed ? 'error' : 'answer']: answer.text,
    edits: answer.edits,
    correlationId: exchange?.correlationId,
    phases: exchange && inOrder(exchange.phases),
    violations: facts.violations,
    services: exchange?.services,
  };
}

/** In the order in which they happen. */
function inOrder(phases: PhaseTimes): Record<string, number> {
  return Object.fromEntries(
    phaseNames.flatMap((phase) => {
      const ms = phases[phase];
      return ms === undefined ? [] : [[phase, ms]];
    }),
  );
}
