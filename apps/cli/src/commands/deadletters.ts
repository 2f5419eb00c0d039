import type { Command } from '../command.ts';
import { openFleetStores } from '../fleet/fleet-stores.ts';
import { dropAction, listAction, replayAction } from '../operator/dead-letter-actions.ts';
import { actionOf, mostOf, operatorOptions, tell } from '../operator/outcome.ts';

const actions = { replay: replayAction, drop: dropAction } as const;

/** The jobs that the fleet has given up: kept for a week, to be replayed or dropped. */
export const deadLetters: Command = {
  name: 'deadletters',
  usage: 'list | replay ID | drop ID  [--most N] [--nats URL] [--json]',
  summary: 'jobs that were given up; ID is the job’s, its message’s, its correlation or trace id',
  options: operatorOptions,
  async run(args, context) {
    const { action, word } = actionOf(args, ['replay', 'drop']);
    const most = mostOf(args);
    await using stores = await openFleetStores(args, context);
    const outcome =
      action === 'list' ? await listAction(stores, most) : await actions[action](stores, word);
    return tell(outcome, args, context);
  },
};
