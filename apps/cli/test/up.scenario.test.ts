/** `npm start` and what talks to it, as processes. The provider is an emulator of the test's own. */
import { randomInt, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock, systemRandom } from '@starling/clock';
import { startDiscordEmulator } from '@starling/discord-emulator/testing';
import { type LlmEmulator, startLlmEmulator } from '@starling/llm-emulator/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { requireFreePorts } from '../src/fleet/free-ports.ts';
import { planFleet } from '../src/fleet/plan.ts';
import { type CliProcess, runCli, startCli } from './cli-process.ts';
import { isAlive } from './process-tree.ts';
import { ProviderSide } from './provider-side.ts';

let directory: string;
let llm: LlmEmulator;
let settings: Record<string, string>;

/** Below the range that the system gives to outgoing connections (ip_local_port_range). */
async function freePortBase(): Promise<number> {
  for (;;) {
    const base = randomInt(10_000, 30_000);
    const free = await requireFreePorts(planFleet({ STARLING_PORT_BASE: String(base) }).ports).then(
      () => true,
      () => false,
    );
    if (free) return base;
  }
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'starling-up-'));
  llm = await startLlmEmulator({ clock: systemClock, random: systemRandom });
  settings = {
    STARLING_DIR: directory,
    STARLING_PORT_BASE: String(await freePortBase()),
    OPENAI_BASE_URL: `${llm.url}/v1`,
    STARLING_MODEL: 'sim-small',
  };
});
afterAll(async () => {
  await llm[Symbol.asyncDispose]();
  await rm(directory, { recursive: true });
});

describe('a running fleet', () => {
  let up: CliProcess;
  let provider: ProviderSide;

  beforeAll(async () => {
    provider = new ProviderSide(llm.url);
    await provider.pace('quick');
    up = startCli(['up'], settings);
    await up.says('Ctrl-C');
  });
  afterAll(() => up[Symbol.asyncDispose]());

  it('shows what runs where, what is real and how to talk to it [I1]', () => {
    const screen = up.stderr();
    for (const part of [
      'nats',
      'redis',
      'bot',
      'worker-1',
      'worker-2',
      'balancer-1',
      'balancer-2',
    ]) {
      expect(screen).toMatch(new RegExp(`^ {2}${part} .* pid \\d+$`, 'm'));
    }
    expect(screen).toMatch(/Starling is up {2}local mode/);
    expect(screen).toMatch(/Discord +simulated/);
    expect(screen).toContain(`provider  real: openai, sim-small at ${llm.url}/v1`);
    expect(screen).toContain(`127.0.0.1:${settings.STARLING_PORT_BASE}/status`);
    expect(screen).toContain('npm run -s starling -- say');
    expect(up.stdout()).toBe('');
  });

  it('answers who talks to it [I1]', async () => {
    const said = await runCli(['say', 'What', 'is', 'it?'], settings);
    expect(said.stdout).toMatch(/^Simulated answer from sim-small.*\n$/);
    expect(said.stderr).toMatch(/answered in .* by sim-small/);
    expect(said.code).toBe(0);

    const json = await runCli(['say', '--json', 'And what more?'], settings);
    expect(JSON.parse(json.stdout)).toMatchObject({
      ok: true,
      answer: expect.stringMatching(/^Simulated/),
      exchange: { services: ['bot', 'balancer', 'worker'] },
    });
    expect(json.code).toBe(0);
    // Its own screen shows the last exchange with its phases.
    await up.says('✔ answered in');
    expect(up.stderr()).toMatch(/receive .* · llm .* · send .* ms/);
  });

  it('says how loaded it is, and how many workers it wants [B9] [H5]', async () => {
    const json = await runCli(['status', '--json'], settings);
    expect(JSON.parse(json.stdout)).toMatchObject({
      load: { workers: 2, slots: 16, waiting: 0, wantedWorkers: expect.any(Number) },
    });
    const { stdout } = await runCli(['status'], settings);
    expect(stdout).toMatch(
      /\d of 16 slots of 2 workers in use, 0 jobs waiting, \d workers? wanted/,
    );
  });

  it('starts a process that died again, and says so [I1]', async () => {
    const status = async () => {
      const { stdout } = await runCli(['status', '--json'], settings);
      const { parts } = JSON.parse(stdout) as { parts: { name: string; pid?: number }[] };
      return parts.find(({ name }) => name === 'worker-1')?.pid;
    };
    const pid = await status();
    process.kill(Number(pid), 'SIGKILL');
    await up.says('worker-1 ended with SIGKILL; starting it again');
    await expect.poll(status).not.toBeOneOf([pid, undefined]);
  });

  it('says where it is to whoever starts a second one [I1]', async () => {
    const again = await runCli(['up'], settings);
    expect(again.stderr).toContain(`Starling runs already (local, process ${up.pid}, status at`);
    expect(again.code).toBe(1);

    const elsewhere = await runCli(['up'], { ...settings, STARLING_DIR: join(directory, 'other') });
    const port = settings.STARLING_PORT_BASE;
    expect(elsewhere.stderr).toContain(`port ${port} on 127.0.0.1 (for control) is taken`);
    expect(elsewhere.stderr).toContain('Set STARLING_PORT_BASE to the first of seven free ports');
    expect(elsewhere.code).toBe(1);
  });

  it('finishes what it answers when Ctrl-C comes, and leaves nothing behind [B8]', async () => {
    const content = 'Take your time. [[tokens:60]]';
    const whole = await provider.answerTo(content);
    await provider.pace('slow');
    await using say = startCli(['say', '--dm', '--json', content], settings);
    await expect.poll(async () => (await provider.record()).concurrency.now).toBe(1);
    const family = await up.family();
    expect(family.length).toBeGreaterThan(9);
    // Under npm one Ctrl-C comes twice. Two of one signal may be one; a second kind never is.
    up.signal('SIGINT');
    up.signal('SIGTERM');
    expect(await say.exited, say.stderr() + up.stderr()).toBe(0);
    expect(JSON.parse(say.stdout())).toMatchObject({ ok: true, answer: whole });
    expect(await up.exited).toBe(0);
    expect(up.stderr()).toMatch(/\nstopped\n$/);
    expect(family.filter(isAlive)).toEqual([]);
    expect(await readdir(directory)).toEqual(['logs']);
  });
});

describe('a start that cannot be', () => {
  it('names the variable, the value and the remedy, and shows no secret', async () => {
    const secret = `not a token ${randomUUID()}`;
    const { code, stderr } = await runCli(['up'], { ...settings, DISCORD_TOKEN: secret });
    expect(stderr).toContain('DISCORD_TOKEN=(hidden): set it to the bot token of discord.com');
    expect(stderr).not.toContain(secret);
    expect(code).toBe(2);

    const many = await runCli(['up'], { ...settings, STARLING_WORKERS: 'many' });
    expect(many.stderr).toContain('STARLING_WORKERS=many: set it to a whole number');
    expect(many.code).toBe(2);
  });

  it('names the port that is taken, and its setting', async () => {
    const server = createServer().listen(Number(settings.STARLING_PORT_BASE) + 1, '127.0.0.1');
    await once(server, 'listening');
    const { code, stderr } = await runCli(['up'], settings);
    await new Promise((closed) => server.close(closed));
    expect(stderr).toMatch(/port \d+ on 127\.0\.0\.1 \(for nats\) is taken/);
    expect(stderr).toContain('STARLING_PORT_BASE');
    expect(code).toBe(1);
  });

  it('says which folder it may not write, and what to do', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    for (const folder of ['/sys/starling', join(file, 'below')]) {
      const { code, stderr } = await runCli(['up'], { ...settings, STARLING_DIR: folder });
      expect(stderr).toContain(folder);
      expect(stderr).toContain('STARLING_DIR');
      expect(stderr).not.toMatch(/^\s+at /m);
      expect(code).toBe(1);
    }
  });

  it('is called off by Ctrl-C and leaves nothing behind', async () => {
    await using up = startCli(['up'], settings);
    await up.says('nats is up');
    const family = await up.family();
    up.signal('SIGINT');
    expect(await up.exited).toBe(130);
    expect(up.stderr()).toMatch(/stopped\n$/);
    expect(family.filter(isAlive)).toEqual([]);
  });

  it('tells who talks to nobody how to start one', async () => {
    const { code, stderr } = await runCli(['say', 'hello?'], settings);
    expect(stderr).toBe('No fleet runs here. Start one in another terminal: npm start\n');
    expect(code).toBe(1);
  });
});

describe('a Discord of its own', () => {
  it('is told by its application and an invite link, its token by nothing', async () => {
    const botToken = randomUUID();
    await using discord = await startDiscordEmulator({
      clock: systemClock,
      random: systemRandom,
      botToken,
    });
    const real = {
      ...settings,
      STARLING_PORT_BASE: String(await freePortBase()),
      DISCORD_API_URL: `${discord.restUrl}/api`,
    };
    const other = randomUUID();
    const refused = await runCli(['up', '--embedded'], { ...real, DISCORD_TOKEN: other });
    expect(refused.stderr).toContain('DISCORD_TOKEN=(hidden)');
    expect(refused.stderr).not.toContain(other);
    expect(refused.code).toBe(1);

    await using up = startCli(['up', '--embedded'], { ...real, DISCORD_TOKEN: botToken });
    await up.says('Ctrl-C');
    expect(up.stderr()).toContain(`application starling (${discord.applicationId})`);
    expect(up.stderr()).toContain(
      `https://discord.com/oauth2/authorize?client_id=${discord.applicationId}`,
    );
    const say = await runCli(['say', 'hello?'], real);
    expect(say.stderr).toBe('This fleet is in the real Discord: write to the bot there.\n');
    up.signal('SIGTERM');
    expect(await up.exited).toBe(0);
    expect(up.stderr()).not.toContain(botToken);
  });
});
