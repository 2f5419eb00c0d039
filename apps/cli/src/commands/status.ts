import type { Command } from '../command.ts';
import { type FleetStatus, fleetStatus } from '../fleet/fleet-status.ts';
import { planFleet } from '../fleet/plan.ts';
import { readRunFile } from '../fleet/run-file.ts';
import { exchangeLines } from '../screen/exchange-lines.ts';
import { loadLine } from '../screen/load-line.ts';

/** Shows what runs, with its memory, and how the last exchanges ended. */
export const status: Command = {
  name: 'status',
  usage: '[--json]',
  summary: 'what runs here, its memory, and the last exchanges',
  options: { json: { type: 'boolean', doc: 'one line of JSON' } },
  async run(args, context) {
    const running = await readRunFile(planFleet(context.environment).directory);
    if (!running) {
      context.say('No fleet runs here. Start one in another terminal: npm start');
      return 1;
    }
    const response = await fetch(`${running.controlUrl}/status`);
    const now = fleetStatus.parse(await response.json());
    if (args.flag('json')) context.out(JSON.stringify({ ok: true, ...now }));
    else for (const line of statusLines(now)) context.out(line);
    return 0;
  },
};

function statusLines({
  answers,
  load,
  mode,
  uptimeMs,
  parts,
  exchanges,
}: FleetStatus): readonly string[] {
  const rows = parts.map(({ name, pid, memoryBytes, detail }) =>
    [
      name.padEnd(18),
      (pid === undefined ? 'restarting' : String(pid)).padEnd(10),
      (memoryBytes === undefined ? '' : `${Math.round(memoryBytes / 2 ** 20)} MiB`).padStart(8),
      ` ${detail}`,
    ].join(' '),
  );
  return [
    `${mode} mode, up for ${Math.round(uptimeMs / 1000)} s`,
    ...rows,
    ...(load ? [loadLine(load)] : []),
    `${answers.answered} questions answered, ${answers.shared} by the call of another (${answers.savedPercent} % of the calls saved)`,
    ...exchanges.flatMap((exchange) => exchangeLines(exchange)),
  ];
}
