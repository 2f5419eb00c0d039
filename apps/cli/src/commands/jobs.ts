import type { Command } from '../command.ts';
import { type FleetStores, openFleetStores } from '../fleet/fleet-stores.ts';
import { cancelAction, listAction, releaseAction, showAction } from '../operator/job-actions.ts';
import { actionOf, mostOf, type Outcome, operatorOptions, tell } from '../operator/outcome.ts';

type Action = (stores: FleetStores, word: string) => Promise<Outcome>;

const actions: Readonly<Record<'show' | 'release' | 'cancel', Action>> = {
  show: showAction,
  release: releaseAction,
  cancel: cancelAction,
};

/** Looks into the jobs that the fleet has accepted and not yet delivered, and takes them in hand. */
export const jobs: Command = {
  name: 'jobs',
  usage: 'list | show ID | release ID | cancel ID  [--most N] [--nats URL] [--json]',
  summary: 'accepted jobs; ID is the job’s, its message’s, its correlation id or its trace id',
  options: operatorOptions,
  async run(args, context) {
    const { action, word } = actionOf(args, ['show', 'release', 'cancel']);
    const most = mostOf(args);
    await using stores = await openFleetStores(args, context);
    const outcome =
      action === 'list' ? await listAction(stores, most) : await actions[action](stores, word);
    return tell(outcome, args, context);
  },
};
