import { systemClock } from '@starling/clock';
import { type Exchange, exchangeContract } from '@starling/contracts';
import type { Command } from '../command.ts';
import { planFleet } from '../fleet/plan.ts';
import { readRunFile } from '../fleet/run-file.ts';
import { PeopleDoor } from '../people-door.ts';
import { pressStop } from '../press-stop.ts';
import { exchangeLines } from '../screen/exchange-lines.ts';

/** Longer than the deadline of any job, so that its honest failure is seen as well. */
const waitMs = 120_000;
/** The exchange is told when the last edit was made; this is for it to be seen at the door. */
const quietMs = 200;

/** Talks to the running fleet as a person in the emulated Discord. */
export const say: Command = {
  name: 'say',
  usage: '"text" [--dm] [--stop-after TIME] [--json]',
  summary: 'write to the bot of the running fleet and show its answer',
  options: {
    dm: { type: 'boolean', doc: 'in a direct message instead of a guild channel' },
    'stop-after': {
      type: 'string',
      value: 'TIME',
      doc: 'press Stop below the answer after so long: 1s, 500ms',
    },
    json: { type: 'boolean', doc: 'end in one line of JSON' },
  },
  async run(args, context) {
    const content = args.words.join(' ');
    const stopAfterMs = args.duration('stop-after');
    const { directory } = planFleet(context.environment);
    const running = await readRunFile(directory);
    if (!running) {
      context.say('No fleet runs here. Start one in another terminal: npm start');
      return 1;
    }
    if (!running.peopleUrl) {
      context.say('This fleet is in the real Discord: write to the bot there.');
      return 1;
    }
    const door = new PeopleDoor(running.peopleUrl);
    const said = await door.say({ content, dm: args.flag('dm') });
    context.say(`… waiting for the answer to ${said.messageId}`);
    const ended = new AbortController();
    const signal = AbortSignal.any([ended.signal, context.stop]);
    const [exchange, pressed] = await Promise.all([
      exchangeOf(running.controlUrl, said.messageId).finally(() => ended.abort()),
      stopAfterMs === undefined
        ? undefined
        : pressStop(said, { door, clock: systemClock, afterMs: stopAfterMs, signal }),
    ]);
    if (pressed !== undefined) context.say(pressed ? '… pressed Stop' : '… there was no button');
    const answer = await door.answer(said.messageId, { timeoutMs: 5_000, quietMs });
    if (args.flag('json')) {
      context.out(
        JSON.stringify({ ok: answer.answered, answer: answer.text, ...(exchange && { exchange }) }),
      );
    } else {
      context.out(answer.answered ? answer.text : '(no answer)');
      for (const line of exchange ? exchangeLines(exchange) : []) context.say(line);
    }
    return answer.answered ? 0 : 1;
  },
};

async function exchangeOf(controlUrl: string, jobId: string): Promise<Exchange | undefined> {
  const response = await fetch(`${controlUrl}/exchanges/${jobId}?timeoutMs=${waitMs}`);
  if (!response.ok) return undefined;
  return exchangeContract.schema.parse(await response.json());
}
