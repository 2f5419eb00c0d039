import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { SimulatedClock, seededRandom, systemClock } from '@starling/clock';
import { startRedisServer } from '@starling/harness';
import { describe, expect, it, vi } from 'vitest';
import { childProcesses } from '../src/chaos/child-processes.ts';
import type { DiscordSide } from '../src/chaos/discord-side.ts';
import { type FaultSite, NotRecoveredError } from '../src/chaos/fault-site.ts';
import { strikeFault } from '../src/chaos/strike-fault.ts';
import { TargetChoice } from '../src/chaos/target-choice.ts';
import type { FleetPart } from '../src/fleet/fleet.ts';

/** A process that only waits; it ends with the test. */
async function waiting(
  stack: AsyncDisposableStack,
  script = 'setInterval(() => {}, 1000)',
): Promise<ChildProcess> {
  const child = spawn(process.execPath, ['-e', `console.log("up");${script}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  stack.defer(async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
  });
  await once(child.stdout, 'data');
  return child;
}

const pidOf = ({ pid }: ChildProcess) => {
  if (pid === undefined) throw new Error('it did not start');
  return pid;
};

function siteOf(parts: () => readonly FleetPart[], changes: Partial<FaultSite> = {}): FaultSite {
  const random = seededRandom(1);
  return {
    fleet: { parts },
    discord: { liveShards: async () => 4 } as DiscordSide,
    links: new Map(),
    choice: new TargetChoice(random),
    random,
    clock: systemClock,
    holdMs: 1_000,
    signal: new AbortController().signal,
    ...changes,
  };
}

/** The state letter of proc(5): `T` is stopped. */
const stateOf = async (pid: number) =>
  /^State:\s+(\S)/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1];

describe('a fault on a process', () => {
  it('kills it, and is over when another one runs in its place', async () => {
    await using stack = new AsyncDisposableStack();
    const victim = await waiting(stack);
    const bystander = await waiting(stack);
    let pid = pidOf(victim);
    victim.once('exit', () => {
      pid = 4_000_001;
    });
    const site = siteOf(() => [
      { name: 'balancer-1', detail: '', pid: pidOf(bystander) },
      { name: 'worker-1', detail: '', pid },
    ]);
    await expect(strikeFault('kill-worker', site)).resolves.toBe('worker-1');
    expect(victim.signalCode).toBe('SIGKILL');
    expect(bystander.signalCode).toBeNull();
  });

  it('says so when nothing comes back', async () => {
    await using stack = new AsyncDisposableStack();
    const victim = await waiting(stack);
    const pid = pidOf(victim);
    const clock = new SimulatedClock();
    const striking = strikeFault(
      'restart-nats',
      siteOf(() => [{ name: 'nats', detail: '', pid }], { clock }),
    );
    const outcome = expect(striking).rejects.toThrow(NotRecoveredError);
    await clock.advance(61_000);
    await outcome;
  });

  it('stops it for its time and lets it go on', async () => {
    await using stack = new AsyncDisposableStack();
    const victim = await waiting(stack);
    const pid = pidOf(victim);
    const clock = new SimulatedClock();
    const site = siteOf(() => [{ name: 'worker-1', detail: '', pid }], { clock });
    const striking = strikeFault('pause-worker', site);
    await clock.advance(999);
    await vi.waitUntil(async () => (await stateOf(pid)) === 'T');
    await clock.advance(1);
    await expect(striking).resolves.toBe('worker-1');
    await vi.waitUntil(async () => (await stateOf(pid)) !== 'T');
  });

  it('lets it go on also when the run is ended meanwhile', async () => {
    await using stack = new AsyncDisposableStack();
    const pid = pidOf(await waiting(stack));
    const stop = new AbortController();
    const site = siteOf(() => [{ name: 'worker-1', detail: '', pid }], {
      clock: new SimulatedClock(),
      signal: stop.signal,
    });
    const striking = strikeFault('pause-worker', site);
    await vi.waitUntil(async () => (await stateOf(pid)) === 'T');
    stop.abort(new Error('stopped'));
    await expect(striking).rejects.toThrow('stopped');
    await vi.waitUntil(async () => (await stateOf(pid)) !== 'T');
  });

  it('kills one child of the bot and never the bot, over when it has as many again', async () => {
    await using stack = new AsyncDisposableStack();
    const script = `
      const { spawn } = require('node:child_process');
      const wait = ['-e', 'setInterval(() => {}, 1000)'];
      const start = () => spawn(process.execPath, wait).once('exit', start);
      start(); start();`;
    const bot = await waiting(stack, script);
    const botPid = pidOf(bot);
    while ((await childProcesses(botPid)).length < 2) await systemClock.sleep(5);
    const before = await childProcesses(botPid);
    stack.defer(async () => {
      const children = await childProcesses(botPid);
      process.kill(botPid, 'SIGKILL');
      for (const pid of children) process.kill(pid, 'SIGKILL');
    });
    await strikeFault(
      'kill-bot',
      siteOf(() => [{ name: 'bot', detail: '', pid: botPid }]),
    );
    const after = await childProcesses(botPid);
    expect(after).toHaveLength(2);
    expect(after.filter((pid) => before.includes(pid))).toEqual(before.slice(1));
    expect(bot.signalCode).toBeNull();
  });

  it('empties a Redis that serves on, its scripts too', async () => {
    await using redis = await startRedisServer({ clock: systemClock });
    await askRedis(redis.port, 'SET kept 1\r\nSCRIPT LOAD "return 1"\r\nDBSIZE\r\n', ':1\r\n');
    const site = siteOf(() => [{ name: 'redis', detail: redis.url, pid: redis.pid }]);
    await strikeFault('redis-flush', site);
    const known = 'SCRIPT EXISTS e0e1f9fabfc9d4800c877a703b823ac0578ff8db\r\nDBSIZE\r\n';
    expect(await askRedis(redis.port, known, ':0\r\n:0\r\n')).toBe('*1\r\n:0\r\n:0\r\n');
  });

  it('brings Redis back with nothing', async () => {
    await using redis = await startRedisServer({ clock: systemClock });
    const write = await askRedis(redis.port, 'SET kept 1\r\nDBSIZE\r\n', ':1\r\n');
    expect(write).toContain('+OK');
    const site = siteOf(() => [{ name: 'redis', detail: '', pid: redis.pid }]);
    const kept = redis.exited.then(() => redis.restart());
    await strikeFault('restart-redis-empty', site);
    await kept;
    expect(await askRedis(redis.port, 'DBSIZE\r\n', '\r\n')).toBe(':0\r\n');
  });
});

/** Sends commands as a terminal does and resolves with the answer once it ends so. */
async function askRedis(port: number, commands: string, end: string): Promise<string> {
  const socket = connect({ port, host: '127.0.0.1' });
  socket.write(commands);
  let answer = '';
  while (!answer.endsWith(end)) {
    const [bytes] = await once(socket, 'data');
    answer += String(bytes);
  }
  socket.destroy();
  return answer;
}
