/** `starling`: the operator's commands. */
import { resolve } from 'node:path';
import { systemClock } from '@starling/clock';
import { withEnvFile } from '@starling/config';
import { signalEchoMs } from '@starling/lifecycle';
import { chaos } from './commands/chaos.ts';
import { deadLetters } from './commands/deadletters.ts';
import { demo } from './commands/demo.ts';
import { jobs } from './commands/jobs.ts';
import { say } from './commands/say.ts';
import { sim } from './commands/sim.ts';
import { status } from './commands/status.ts';
import { up } from './commands/up.ts';
import { runCommand } from './run-command.ts';

const root = resolve(import.meta.dirname, '../../..');
const stop = new AbortController();

let askedAtMs = 0;

/**
 * Told to end twice, it ends at once; the children it started end with it. One Ctrl-C under npm comes
 * twice, from the terminal and from npm, and counts once.
 */
const onSignal = () => {
  const nowMs = systemClock.monotonicMs();
  if (!stop.signal.aborted) askedAtMs = nowMs;
  else if (nowMs - askedAtMs >= signalEchoMs) process.exit(130);
  stop.abort(new Error('stopped'));
};
process.on('SIGINT', onSignal);
process.on('SIGTERM', onSignal);

process.exitCode = await runCommand({
  commands: [up, say, status, jobs, deadLetters, demo, chaos, sim],
  args: process.argv.slice(2),
  context: {
    root,
    environment: () => withEnvFile(process.env, resolve(root, '.env')),
    out: (line) => process.stdout.write(`${line}\n`),
    say: (line) => process.stderr.write(`${line}\n`),
    stop: stop.signal,
  },
});
