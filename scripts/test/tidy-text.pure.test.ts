import { describe, expect, it } from 'vitest';
import { bannedCalls } from '../tidy/banned-calls.ts';
import { credentials } from '../tidy/credentials.ts';
import { fileNames, fileSize } from '../tidy/file-shape.ts';
import { openEnds, skippedTests, typeEscapes } from '../tidy/marks.ts';
import { findings } from './tidy-project.ts';

/** A word in two parts, so that the rule that looks for it does not find it here. */
const word = (...parts: string[]) => parts.join('');

describe('banned calls', () => {
  const at = (path: string, text: string) => findings(bannedCalls, { [path]: text });

  it.each([
    'const now = Date.now();',
    'call(Date.now)',
    'const now = new Date();',
    'const now = new Date;',
    'performance.now()',
    'process.hrtime.bigint()',
    'Math.random()',
    'setTimeout(() => {}, 1)',
    'globalThis.setTimeout(() => {}, 1)',
    'promisify(setTimeout)',
    'setInterval(() => {}, 1)',
    "import { scheduler } from 'node:timers/promises';",
    "import { log } from './log.ts'; console.log('x')",
    "const url = `nats://${process.env['HOST']}`",
    'process.exit(1)',
  ])('convicts a library of %s', (text) => {
    expect(at('libs/bus/src/a.ts', `\n${text}`)).toEqual([
      expect.stringMatching(/^libs\/bus\/src\/a\.ts:2 /),
    ]);
    expect(at('libs/bus/test/a.pure.test.ts', text)).toHaveLength(1);
  });

  it.each([
    'clock.now(); new Date(clock.nowMs())',
    'server.setTimeout(1)',
    'const options = { setTimeout: 5 };',
    'clearTimeout(timer)',
    "// Date.now() is banned\nconst text = 'Math.random()';",
    'process.exitCode = 1',
  ])('lets a library write %s', (text) => {
    expect(at('libs/bus/src/a.ts', text)).toEqual([]);
  });

  it('knows each call’s home', () => {
    expect(at('libs/clock/src/a.ts', 'Date.now(); setTimeout(f, 1)')).toEqual([]);
    expect(at('apps/worker/src/main.ts', 'process.env')).toEqual([]);
    expect(at('apps/worker/src/settings.ts', 'process.env')).toHaveLength(1);
    expect(at('libs/lifecycle/src/a.ts', 'process.exit(0)')).toEqual([]);
    expect(at('libs/telemetry/src/a.ts', 'console.log(1)')).toEqual([]);
    expect(at('libs/clockwork/src/a.ts', 'Date.now()')).toHaveLength(1);
  });
});

describe('marks', () => {
  it.each([
    'it.only(',
    'it.skip(',
    'describe.skip(',
    'it.concurrent.skip(',
    'test.todo(',
    'xit(',
    'it.skipIf(x)(',
  ])('convicts a test of %s', (text) => {
    expect(findings(skippedTests, { 'libs/a/test/a.pure.test.ts': text })).toHaveLength(1);
  });

  it('lets a running test be, whatever its title says', () => {
    const text = "it.each([1])('never it.skip(', () => { list.skip(1); });";
    expect(findings(skippedTests, { 'libs/a/test/a.pure.test.ts': text })).toEqual([]);
  });

  it('finds open ends in comments, and only there', () => {
    const open = word('TO', 'DO');
    expect(findings(openEnds, { 'a.ts': `// ${open}: later` })).toHaveLength(1);
    expect(findings(openEnds, { 'a.ts': `/* ${word('FIX', 'ME')} */` })).toHaveLength(1);
    expect(findings(openEnds, { 'a.ts': `const list = '${open}';` })).toEqual([]);
  });

  it('finds holes in the types', () => {
    const ignore = word('@ts', '-ignore');
    const expectError = word('@ts', '-expect-error');
    const at = (path: string, text: string) => findings(typeEscapes, { [path]: text });
    expect(at('libs/a/src/a.ts', `// ${ignore}\nx();`)).toHaveLength(1);
    expect(at('libs/a/src/a.ts', `// ${expectError}\nx();`)).toHaveLength(1);
    expect(at('libs/a/test/a.pure.test.ts', `// ${expectError}\nx();`)).toEqual([]);
    expect(at('libs/a/src/a.ts', 'const x = y as any;')).toHaveLength(1);
    expect(at('libs/a/src/a.ts', 'function f(x: any) {}')).toHaveLength(1);
    expect(at('libs/a/src/a.ts', 'const x: unknown = y; // of any kind: any')).toEqual([]);
  });
});

describe('file shape', () => {
  it('convicts a file over 300 lines', () => {
    expect(findings(fileSize, { 'libs/a/src/a.ts': 'x\n'.repeat(300) })).toEqual([]);
    expect(findings(fileSize, { 'libs/a/src/a.ts': 'x\n'.repeat(301) })).toHaveLength(1);
    expect(findings(fileSize, { 'libs/a/test/a.pure.test.ts': 'x\n'.repeat(301) })).toEqual([]);
  });

  it.each([
    'libs/a/src/utils.ts',
    'libs/a/src/helpers/x.ts',
    'libs/a/src/common.pure.ts',
    'libs/a/src/jobQueue.ts',
    'libs/a/src/Queue.ts',
    'libs/a/test/x.test.ts',
    'libs/a/test/x.unit.test.ts',
    'libs/a/src/x.pure.test.ts',
  ])('convicts the name %s', (path) => {
    expect(findings(fileNames, { [path]: '' })).toHaveLength(1);
  });

  it.each([
    'libs/a/src/job-queue.ts',
    'libs/a/test/job-queue.sim.test.ts',
    'vitest.config.ts',
    'libs/utilities/src/x.ts',
  ])('accepts the name %s', (path) => {
    expect(findings(fileNames, { [path]: '' })).toEqual([]);
  });
});

describe('credentials', () => {
  it.each([
    ['a Discord bot token', `${'M'.repeat(24)}.${'Gx1abc'}.${'y'.repeat(38)}`],
    ['a provider key', word('sk-', 'or-v1-', 'a1b2'.repeat(16))],
    ['a provider key', word('sk-', 'proj-', 'a1b2'.repeat(10))],
    ['a GitHub token', word('ghp_', 'a1'.repeat(18))],
    ['an AWS key', word('AKIA', 'Q'.repeat(16))],
    ['a private key', word('-----BEGIN RSA ', 'PRIVATE KEY-----')],
  ])('finds what looks like %s in any file', (what, secret) => {
    expect(findings(credentials, { 'docs/x.md': `key: ${secret}` })).toEqual([
      `docs/x.md:1 looks like ${what}`,
    ]);
  });

  it('lets a name, a short key and the lock file’s hashes be', () => {
    expect(findings(credentials, { 'a.ts': "env.DISCORD_TOKEN; 'sk-test'; a.b.c" })).toEqual([]);
    expect(findings(credentials, { 'package-lock.json': word('sk-', 'a1b2'.repeat(16)) })).toEqual(
      [],
    );
  });
});
