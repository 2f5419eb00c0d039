import { resolve } from 'node:path';
import { systemClock } from '@starling/clock';
import type { Command, CommandContext } from '../command.ts';
import { startControlServer } from '../fleet/control-server.ts';
import { readStatus } from '../fleet/fleet-status.ts';
import { requireFreePorts } from '../fleet/free-ports.ts';
import { findLocalOllama } from '../fleet/local-ollama.ts';
import { planFleet } from '../fleet/plan.ts';
import { AlreadyRunningError, claimRunFile, readRunFile } from '../fleet/run-file.ts';
import { startFleet } from '../fleet/start-fleet.ts';
import { discordNotes } from '../screen/discord-notes.ts';
import { exchangeLines } from '../screen/exchange-lines.ts';
import { startScreen } from '../screen/start-screen.ts';

/** Runs the fleet until it is told to stop: what `npm start` does. */
export const up: Command = {
  name: 'up',
  usage: '[--embedded]',
  summary: 'start the fleet here and keep it running until Ctrl-C',
  options: {
    embedded: { type: 'boolean', doc: 'one process, without NATS and Redis' },
  },
  async run(args, context) {
    const clock = systemClock;
    const startedAtMs = clock.monotonicMs();
    const environment = await findLocalOllama(context.environment, context.say);
    const plan = planFleet(environment);
    const directory = resolve(context.root, plan.directory);
    const running = await readRunFile(directory);
    if (running) throw new AlreadyRunningError(running);
    await requireFreePorts(plan.ports);

    await using stack = new AsyncDisposableStack();
    const { fleet, notes } = await startFleet(args.flag('embedded') ? 'embedded' : 'auto', {
      plan,
      environment,
      root: context.root,
      directory,
      clock,
      say: context.say,
      signal: context.stop,
    });
    stack.use(fleet);
    const status = () => readStatus(fleet, clock.monotonicMs() - startedAtMs);
    const { exchanges } = fleet;
    const control = stack.use(
      await startControlServer({ port: plan.ports.control, exchanges, status }),
    );
    stack.use(
      await claimRunFile(directory, {
        pid: process.pid,
        startedAtMs: clock.nowMs(),
        mode: fleet.mode,
        controlUrl: control.url,
        ...(fleet.peopleUrl && { peopleUrl: fleet.peopleUrl }),
        ...(fleet.natsUrl && { natsUrl: fleet.natsUrl }),
      }),
    );
    const screen = startScreen({
      mode: fleet.mode,
      plan,
      parts: fleet.parts(),
      startedInMs: clock.monotonicMs() - startedAtMs,
      controlUrl: control.url,
      notes: [...notes, ...(await discordNotes(environment))],
    });
    for (const line of screen) context.say(line);
    exchanges.onAdd((exchange) => {
      for (const line of exchangeLines(exchange)) context.say(line);
    });
    const failure = await Promise.race([fleet.failed, stopped(context)]);
    if (failure) context.say(`✖ ${failure.message}`);
    context.say('stopping: what is being answered is finished first (Ctrl-C again ends at once)');
    // Until the last answer is finished it can be asked for, and the folder is ours.
    await fleet[Symbol.asyncDispose]();
    await stack.disposeAsync();
    context.say('stopped');
    return failure ? 1 : 0;
  },
};

function stopped({ stop }: CommandContext): Promise<undefined> {
  return new Promise((done) => {
    if (stop.aborted) done(undefined);
    stop.addEventListener('abort', () => done(undefined), { once: true });
  });
}
