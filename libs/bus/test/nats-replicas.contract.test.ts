/** Stores that a cluster of servers keeps. */

import { systemClock } from '@starling/clock';
import { freePort, startNatsServer } from '@starling/harness';
import { captureTelemetry } from '@starling/telemetry/testing';
import { expect, it, vi } from 'vitest';
import { connectNats } from '../src/index.ts';
import { bytes, text } from '../src/testing/bus-fixture.ts';
import { jobStoreSpec } from '../src/testing/job-store-contract.ts';
import { keyValueSpec } from '../src/testing/key-value-contract.ts';

const wait = { timeout: 20_000, interval: 50 };
const connect = (url: string, replicas?: number) =>
  connectNats({
    ...{ url, name: 'replicas', connectTimeoutMs: 10_000, clock: systemClock },
    ...(replicas !== undefined && { replicas }),
  });

it('cannot be kept on more servers than there are, and says what to do', async () => {
  await using server = await startNatsServer();
  await using bus = await connect(server.url, 3);
  const refused = {
    code: 'too_few_servers',
    message: expect.stringMatching(/3 servers .*STARLING_NATS_REPLICAS to 1/),
  };
  const spec = jobStoreSpec();
  await expect(bus.openJobStore(spec)).rejects.toMatchObject(refused);
  await expect(bus.openKeyValue(keyValueSpec())).rejects.toMatchObject(refused);
  await using lone = await connect(server.url);
  await lone.openJobStore(spec);
  await expect(bus.openJobStore(spec)).rejects.toMatchObject(refused);
});

it('are read as they were written, by any process, and outlive one of three servers', async () => {
  await using _telemetry = captureTelemetry();
  const ports = await Promise.all([freePort(), freePort(), freePort()]);
  const clusterOf = (at: number) => [...ports.slice(at), ...ports.slice(0, at)];
  const servers = await Promise.all(
    [0, 1, 2].map((at) => startNatsServer({ clusterPorts: clusterOf(at) })),
  );
  await using stack = new AsyncDisposableStack();
  for (const server of servers) stack.use(server);
  const [one = expect.fail(), two = expect.fail(), three = expect.fail()] = servers;
  const [first, second] = await Promise.all([connect(one.url, 3), connect(two.url)]);
  stack.use(first);
  stack.use(second);
  const [jobs, values] = [jobStoreSpec(), keyValueSpec()];
  // The servers have to find each other.
  const store = await vi.waitFor(() => first.openJobStore(jobs), wait);
  const bucket = await vi.waitFor(() => first.openKeyValue(values), wait);
  // Who asks for one copy leaves three as they are.
  const theirs = await second.openJobStore(jobs);
  const theirBucket = await second.openKeyValue(values);
  await expect(
    connect(three.url, 5).then((bus) => stack.use(bus).openJobStore(jobs)),
  ).rejects.toMatchObject({ code: 'too_few_servers' });
  for (let at = 0; at < 100; at += 1) {
    const { sequence } = await store.put(`${jobs.name}.dm.${at}`, bytes(`job ${at}`), {
      id: String(at),
      headers: { at: String(at) },
    });
    const [read, written] = await Promise.all([
      theirs.read(sequence),
      bucket.create(`k${at}`, bytes(`${at}`)),
    ]);
    expect(read).toMatchObject({ sequence, headers: { at: String(at) } });
    expect(text(read?.payload ?? bytes(''))).toBe(`job ${at}`);
    expect(written).toMatchObject({ ok: true });
    const entry = await theirBucket.get(`k${at}`);
    expect(entry && text(entry.bytes)).toBe(String(at));
  }
  expect(await theirs.read(1_000)).toBe(undefined);
  expect(await theirBucket.get('none')).toBe(undefined);
  await three.kill();
  await vi.waitFor(async () => {
    expect(await theirs.read(100)).toMatchObject({ sequence: 100 });
    expect(await theirBucket.get('k99')).toMatchObject({ key: 'k99' });
  }, wait);
  expect(await vi.waitFor(() => theirBucket.create('after', bytes('x')), wait)).toMatchObject({
    ok: true,
  });
});
