import colors from 'picocolors';
import type { FleetPart } from '../fleet/fleet.ts';
import type { FleetPlan } from '../fleet/plan.ts';

/** What the start screen tells. */
export interface StartFacts {
  readonly mode: 'local' | 'embedded';
  readonly plan: FleetPlan;
  readonly parts: readonly FleetPart[];
  readonly startedInMs: number;
  readonly controlUrl: string;
  /** More lines for the operator, for example an invite link or what a mode does not promise. */
  readonly notes: readonly string[];
}

/** The screen after a start: what runs where, what is simulated, how to talk to it, how to stop it. */
export function startScreen(facts: StartFacts): readonly string[] {
  const { plan, parts } = facts;
  const width = Math.max(...parts.map(({ name }) => name.length));
  const rows = parts.map(({ name, detail, pid }) => {
    const process = pid === undefined ? '' : colors.dim(`  pid ${pid}`);
    return `  ${name.padEnd(width)}  ${detail}${process}`;
  });
  const seconds = (facts.startedInMs / 1000).toFixed(1);
  return [
    '',
    `${colors.bold('Starling is up')}  ${facts.mode} mode, started in ${seconds} s`,
    '',
    ...rows,
    '',
    `  Discord   ${counterpart(plan.discord, 'set DISCORD_TOKEN in .env for the real one')}`,
    `  provider  ${counterpart(plan.provider, 'set OPENROUTER_API_KEY, OPENAI_BASE_URL or OLLAMA_HOST in .env for a real one')}`,
    `  status    ${facts.controlUrl}/status`,
    ...facts.notes.map((note) => `  ${colors.yellow('note')}      ${note}`),
    '',
    plan.discord.kind === 'real'
      ? '  Talk to it   mention the bot in Discord, or write to it in a direct message'
      : `  Talk to it   ${colors.cyan('npm run -s starling -- say "What is a murmuration?"')}`,
    '  Stop it      Ctrl-C (what is being answered is finished first)',
    '',
  ];
}

function counterpart(which: FleetPlan['discord'], hint: string): string {
  return which.kind === 'real' ? `real: ${which.what}` : `simulated ${colors.dim(`(${hint})`)}`;
}
