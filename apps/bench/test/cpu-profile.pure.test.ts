import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { summariseProfile } from '../src/profiles/cpu-profile.ts';
import { profileReport } from '../src/profiles/profile-report.ts';

function node(
  id: number,
  functionName: string,
  rest: { url?: string; line?: number; hits?: number; children?: number[] } = {},
) {
  const { url = '', line = 0, hits = 0, children } = rest;
  return {
    id,
    callFrame: { functionName, scriptId: '1', url, lineNumber: line, columnNumber: 0 },
    hitCount: hits,
    ...(children && { children }),
  };
}

const ours = 'file:///home/me/apps/starling/libs/bus/src/wire-message.ts';
const theirs = 'file:///home/me/starling/node_modules/@nats-io/nats-core/lib/headers.js';

/** 100 samples: 50 idle; of the 50 busy ones 10 the engine's, 15 a package's, 20 ours, 5 Node's. */
const profile = JSON.stringify({
  nodes: [
    node(1, '(root)', { children: [2, 3, 4, 9] }),
    node(2, '(idle)', { hits: 50 }),
    node(3, '(garbage collector)', { hits: 10 }),
    node(4, 'send', { url: ours, line: 9, hits: 8, children: [5, 6] }),
    node(5, 'encode', { url: theirs, line: 4, hits: 15 }),
    node(6, 'send', { url: ours, line: 9, hits: 2, children: [7] }),
    node(7, '', { url: ours, line: 29, hits: 10, children: [8] }),
    node(8, 'keys', { hits: 0 }),
    node(9, 'writev', { url: 'node:internal/stream_base_commons', line: 1, hits: 5 }),
  ],
});

describe('a CPU profile', () => {
  it('is told by owner, by function, and by function with what it called', () => {
    const { busySamples, idleSamples, owners, own, whole } = summariseProfile(profile);
    expect({ busySamples, idleSamples }).toEqual({ busySamples: 50, idleSamples: 50 });
    expect(owners).toEqual([
      { name: 'libs/bus', share: 0.4 },
      { name: '@nats-io/nats-core', share: 0.3 },
      { name: '(garbage collector)', share: 0.2 },
      { name: 'node:internal/stream_base_commons', share: 0.1 },
    ]);
    expect(own[0]).toEqual({ name: 'encode @nats-io/nats-core/lib/headers.js:5', share: 0.3 });
    expect(own).toContainEqual({
      name: '(anonymous) libs/bus/src/wire-message.ts:30',
      share: 0.2,
    });
    // Its own samples, both times that it stands on the stack, and those of what it called: once each.
    expect(whole[0]).toEqual({ name: 'send libs/bus/src/wire-message.ts:10', share: 0.7 });
  });

  it('is refused when it is something else', () => {
    expect(() => summariseProfile('{"nodes":[{}]}')).toThrow();
    expect(() => summariseProfile('not JSON')).toThrow();
  });

  it('is reported for each process of a folder', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'starling-profiles-'));
    try {
      expect(await profileReport(folder, 1)).toEqual([`no profiles in ${folder}`]);
      await writeFile(join(folder, 'worker-1.42.cpuprofile'), profile);
      await writeFile(join(folder, 'notes.txt'), 'no profile');
      expect(await profileReport(folder, 1)).toEqual([
        'worker-1.42: 50 samples busy, 50 idle',
        '  by owner',
        '     40.0 %  libs/bus',
        '  in the function itself',
        '     30.0 %  encode @nats-io/nats-core/lib/headers.js:5',
        '  with what it called',
        '     70.0 %  send libs/bus/src/wire-message.ts:10',
      ]);
    } finally {
      await rm(folder, { recursive: true });
    }
  });
});
