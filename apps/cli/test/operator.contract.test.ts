/** `starling jobs` and `starling deadletters` as an operator types them, on a real server. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectNats } from '@starling/bus';
import { systemClock } from '@starling/clock';
import {
  channelId,
  clusterId,
  headerNames,
  type Job,
  type JobId,
  jobId,
  messageId,
  subjects,
  userId,
  workerId,
} from '@starling/contracts';
import { type RunningServer, startNatsServer } from '@starling/harness';
import { acceptJob, deadLetter, openJobStores } from '@starling/jobs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deadLetters } from '../src/commands/deadletters.ts';
import { jobs } from '../src/commands/jobs.ts';
import { claimRunFile } from '../src/fleet/run-file.ts';
import { runCommand } from '../src/run-command.ts';

const clock = systemClock;
const first = jobId.parse('140000000000000001');
const second = jobId.parse('140000000000000002');

let stack: AsyncDisposableStack;
let directory: string;
beforeEach(async () => {
  stack = new AsyncDisposableStack();
  directory = await mkdtemp(join(tmpdir(), 'starling-operator-'));
  stack.defer(() => rm(directory, { recursive: true, force: true }));
});
afterEach(() => stack.disposeAsync());

async function starling(...args: readonly string[]) {
  const out: string[] = [];
  const said: string[] = [];
  const code = await runCommand({
    commands: [jobs, deadLetters],
    args,
    context: {
      root: directory,
      environment: () => ({ STARLING_DIR: directory }),
      out: (line) => out.push(line),
      say: (line) => said.push(line),
      stop: new AbortController().signal,
    },
  });
  return { code, out: out.join('\n'), said: said.join('\n') };
}

async function json(...args: readonly string[]) {
  const { code, out } = await starling(...args, '--json');
  return { code, ...JSON.parse(out) };
}

/** The run file of a fleet, and what it has in its stores. */
async function fleetOn(server: RunningServer) {
  const { url: natsUrl } = server;
  const controlUrl = 'http://127.0.0.1:1';
  const run = { pid: process.pid, startedAtMs: 1, mode: 'local', controlUrl, natsUrl } as const;
  stack.use(await claimRunFile(directory, run));
  const bus = stack.use(
    await connectNats({ url: natsUrl, name: 'fleet', connectTimeoutMs: 10_000, clock }),
  );
  const stores = await openJobStores({ bus, clock });
  return {
    ...stores,
    async accept(id: JobId): Promise<void> {
      const nowMs = clock.nowMs();
      const job: Job = {
        jobId: id,
        lane: 'interactive',
        origin: {
          kind: 'discord',
          clusterId: clusterId.parse('c0'),
          channelId: channelId.parse('200000000000000000'),
          messageId: messageId.parse(id),
          userId: userId.parse('400000000000000000'),
        },
        messages: [{ role: 'user', content: 'hello' }],
        maxCompletionTokens: 100,
        acceptedAtMs: nowMs,
        deadlineAtMs: nowMs + 60_000,
      };
      const headers = { [headerNames.correlationId]: id === first ? 'aaaa1111' : 'bbbb2222' };
      const how = { store: stores.store, clock, headers, tokenEstimate: 42, retryForMs: 0 };
      await acceptJob(job, how);
    },
    async giveUp(id: JobId): Promise<void> {
      const [stored = expect.fail()] = await stores.store.list(subjects.jobAnyLane(id));
      const message = (await stores.store.read(stored.sequence)) ?? expect.fail();
      const reason = { kind: 'failed', code: 'internal' } as const;
      await deadLetter(stores.letters, { message, reason, attempts: 3, atMs: clock.nowMs() });
      await stores.store.remove(stored.sequence);
    },
  };
}

describe('starling jobs', () => {
  it('lists, shows, releases and cancels [H5] [A7]', async () => {
    const server = stack.use(await startNatsServer());
    const fleet = await fleetOn(server);
    expect((await starling('jobs', 'list')).out).toContain('no job is stored');
    await fleet.accept(first);
    await fleet.accept(second);
    const worker = workerId.parse('worker-1');
    await fleet.ledger.claim(second, { workerId: worker, attempt: 1 });

    const { out: list } = await starling('jobs', 'list');
    expect(list.split('\n')).toEqual([
      expect.stringMatching(
        /^140000000000000001 · waiting · interactive · user 400000000000000000 · accepted \d+ s ago · deadline in (1 min|59 s) · id aaaa1111$/,
      ),
      expect.stringMatching(/^140000000000000002 · running at worker-1, attempt 1, for \d+ s · /),
    ]);
    const { out: newest } = await starling('jobs', 'list', '--most', '1');
    expect(newest).toMatch(/^\(1 older ones: --most 2\)\n140000000000000002/);

    const { out: shown } = await starling('jobs', 'show', 'aaaa1111');
    expect(shown).toContain('"content": "hello"');

    expect(await json('jobs', 'release', second)).toMatchObject({ ok: true, worker });
    const twice = await starling('jobs', 'release', 'bbbb2222');
    expect(twice).toMatchObject({
      code: 1,
      said: `${second}: nobody runs it: it waits for a worker`,
    });

    const cancelled = await json('jobs', 'cancel', 'aaaa1111');
    expect(cancelled).toMatchObject({ ok: true, code: 0, jobId: first, by: 'operator' });
    const again = await starling('jobs', 'cancel', first);
    expect(again.said).toMatch(/^140000000000000001: cancelled \d+ s ago$/);
  });

  it('says what there is when nothing has the name, or several have', async () => {
    const fleet = await fleetOn(stack.use(await startNatsServer()));
    await fleet.accept(first);
    await fleet.accept(second);
    await fleet.giveUp(second);
    expect(await starling('jobs', 'show', 'nobody')).toEqual({
      code: 1,
      out: '',
      said: `no stored job has the name nobody: there are ${first}`,
    });
    expect((await starling('jobs', 'cancel', 'bbbb2222')).said).toContain(
      `A dead letter has it: starling deadletters replay ${second}`,
    );
    await fleet.store.put(`jobs.batch.${second}`, new Uint8Array(), {
      id: 'other',
      headers: { [headerNames.correlationId]: 'aaaa1111' },
    });
    const { code, names } = await json('jobs', 'release', 'aaaa1111');
    expect({ code, names }).toEqual({ code: 1, names: [first, second] });
  });
});

describe('starling deadletters', () => {
  it('lists, replays and drops, and says so [H5] [A1]', async () => {
    const fleet = await fleetOn(stack.use(await startNatsServer()));
    expect((await starling('deadletters')).out).toBe('there are no dead letters');
    for (const id of [first, second]) {
      await fleet.accept(id);
      await fleet.giveUp(id);
    }
    const { out } = await starling('deadletters', 'list');
    expect(out.split('\n')).toEqual([
      expect.stringMatching(
        /^140000000000000001 · internal after 3 attempts · user \d+ · given up \d+ s ago · id aaaa1111$/,
      ),
      expect.stringMatching(/^140000000000000002 · .* · id bbbb2222$/),
    ]);
    const replayed = await json('deadletters', 'replay', 'aaaa1111');
    expect(replayed).toMatchObject({ ok: true, jobId: `${first}-r1`, before: false });
    expect((await json('jobs', 'list')).jobs).toMatchObject([
      { jobId: `${first}-r1`, correlationId: 'aaaa1111', state: { kind: 'waiting' } },
    ]);
    expect((await starling('deadletters', 'drop', second)).out).toMatch(
      /^dropped: 140000000000000002 · internal after 3 attempts/,
    );
    expect(await starling('deadletters', 'drop', second)).toMatchObject({
      code: 1,
      said: `no dead letter has the name ${second}: there is no dead letter at all`,
    });
  });
});

describe('without a store to look into', () => {
  it('says that nothing runs here, and takes the address of a server instead', async () => {
    const { code, said } = await starling('jobs', 'list');
    expect({ code, said }).toEqual({
      code: 1,
      said: expect.stringContaining('No fleet runs here'),
    });
    const server = stack.use(await startNatsServer());
    expect(await json('jobs', 'list', '--nats', server.url)).toMatchObject({ code: 0, total: 0 });
    expect((await starling('jobs', 'list', '--nats', 'http://x')).said).toContain(
      '--nats http://x',
    );
  });

  it('says that an embedded fleet has none', async () => {
    const controlUrl = 'http://127.0.0.1:1';
    const run = { pid: process.pid, startedAtMs: 1, mode: 'embedded', controlUrl } as const;
    stack.use(await claimRunFile(directory, run));
    const { code, said } = await starling('deadletters', 'list');
    expect(code).toBe(1);
    expect(said).toContain('embedded');
    expect(said).toContain('no store to look into');
  });

  it.each([[['jobs', 'burn', 'x']], [['jobs', 'show']], [['deadletters', 'drop', 'a', 'b']]])(
    'refuses %j and says what there is',
    async (args) => {
      const { code, said } = await starling(...args);
      expect(code).toBe(2);
      expect(said).toContain('give one of list, ');
    },
  );
});
