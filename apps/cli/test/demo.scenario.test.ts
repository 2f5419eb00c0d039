/** The demo as a process: a fleet of its own, one line of JSON, nothing left behind. */
import { phaseNames } from '@starling/contracts';
import { describe, expect, it } from 'vitest';
import { runCli } from './cli-process.ts';

const services = ['bot', 'balancer', 'worker'];
const correlationId = expect.stringMatching(/^[0-9a-f]{8}$/);
const wholeNumber = expect.any(Number);

/** Runs the demo and gives its one line of standard output. */
async function demo(...args: readonly string[]) {
  const { code, stderr, stdout } = await runCli(['demo', '--once', '--json', ...args]);
  expect(stdout, stderr).toMatch(/^\{.*\}\n$/);
  return { code, line: JSON.parse(stdout) };
}

describe.concurrent('one message through a fleet of its own', () => {
  it('is answered through the local fleet, each phase with its time [I1] [A2]', async () => {
    const { code, line } = await demo();
    expect(line).toEqual({
      ok: true,
      mode: 'local',
      answer: expect.stringMatching(/^Simulated answer/),
      edits: wholeNumber,
      correlationId,
      phases: Object.fromEntries(phaseNames.map((phase) => [phase, wholeNumber])),
      violations: 0,
      services,
    });
    expect(Object.keys(line.phases)).toEqual([...phaseNames]);
    expect(code).toBe(0);
  });

  it('is sent as given, through one process [I1]', async () => {
    const message = '"Quoted" \\n ünd $HOME [[tokens:8]]';
    const { code, line } = await demo('--embedded', '--message', message);
    expect(line).toMatchObject({ ok: true, mode: 'embedded', violations: 0, services });
    // The simulated model does as the text orders.
    expect(line.answer).toBe('Simulated answer from sim-small.');
    expect(code).toBe(0);
  });

  it('ends in an honest word when the provider fails for ever [F10]', async () => {
    const { code, line } = await demo('--fault', 'provider-500');
    expect(line).toMatchObject({ ok: true, mode: 'local', correlationId, violations: 0, services });
    expect(line.error).toMatch(
      /^The language model cannot be reached right now · try again <t:\d+:R>/,
    );
    expect(line.error).toContain(`id ${line.correlationId}`);
    expect(line).not.toHaveProperty('answer');
    expect(code).toBe(0);
  });
});

it('names an option that it does not know, and starts nothing', async () => {
  const { code, stderr, stdout } = await runCli(['demo', '--fault', 'earthquake']);
  expect(stderr).toContain('--fault earthquake: there is only provider-500');
  expect(stdout).toBe('');
  expect(code).toBe(2);
});
