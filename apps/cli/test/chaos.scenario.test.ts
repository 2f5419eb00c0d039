import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { baseEnvironment } from '@starling/harness';
import { expect, it } from 'vitest';
import { z } from 'zod';

const main = resolve(import.meta.dirname, '../src/main.ts');

const line = z.object({
  ok: z.boolean(),
  scenario: z.string(),
  seed: z.int(),
  problems: z.array(z.string()),
  said: z.int(),
  accepted: z.int(),
  answered: z.int(),
  failed: z.int(),
  stopped: z.int(),
  withdrawn: z.int(),
  unfinished: z.int(),
  refused: z.int(),
  notAccepted: z.int(),
  expired: z.int(),
  lost: z.int(),
  doubled: z.int(),
  storedEver: z.int(),
  faults: z.int(),
  inFlightAtFault: z.array(z.int()),
});

it('loses and doubles nothing when the replies to posted answers are lost', {
  timeout: 240_000,
}, async () => {
  const args = ['chaos', 'lost-post-reply', '--seconds', '8', '--seed', '1', '--json'];
  const child = spawn(process.execPath, [main, ...args], {
    env: baseEnvironment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [out, progress, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  const told = line.parse(JSON.parse(out));
  expect(told.problems, progress).toEqual([]);
  expect(told).toMatchObject({
    ok: true,
    scenario: 'lost-post-reply',
    seed: 1,
    lost: 0,
    doubled: 0,
  });
  expect(code).toBe(0);
  expect(told.accepted).toBeGreaterThanOrEqual(100);
  const { answered, failed, stopped, withdrawn } = told;
  expect(told.accepted).toBe(answered + failed + stopped + withdrawn);
  expect(told.said).toBe(told.accepted + told.refused + told.notAccepted);
  expect(told.faults).toBeGreaterThanOrEqual(3);
  expect(Math.min(...told.inFlightAtFault)).toBeGreaterThanOrEqual(5);
});

it('names the scenarios when it is given none of them', async () => {
  const child = spawn(process.execPath, [main, 'chaos', 'kill-everything'], {
    env: baseEnvironment(),
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const [said, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  expect(said).toContain('kill-everything: give one of kill-worker, kill-balancer');
  expect(code).toBe(2);
});
