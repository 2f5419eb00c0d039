import { describe, expect, it } from 'vitest';
import { doors, licences, lockfile, pinnedVersions } from '../tidy/dependencies.ts';
import { docLinks } from '../tidy/doc-links.ts';
import { findings, manifest } from './tidy-project.ts';

describe('packages', () => {
  it.each(['1.2.3', '2.0.0-rc.1', 'npm:@nats-io/transport-node@3.4.0'])('accepts %s', (version) => {
    const text = manifest('a', { dependencies: { x: version } });
    expect(findings(pinnedVersions, { 'package.json': text })).toEqual([]);
  });

  it.each(['^1.2.3', '~1.2.3', '1.x', '*', 'latest', 'npm:x@^1.0.0', 'file:../x', '>=20'])(
    'convicts %s of not being exact',
    (version) => {
      const text = manifest('a', { devDependencies: { x: version } });
      expect(findings(pinnedVersions, { 'package.json': text })).toHaveLength(1);
    },
  );

  it('wants a licence, and doors that are there', () => {
    expect(findings(licences, { 'package.json': manifest('a') })).toEqual([]);
    expect(findings(licences, { 'libs/a/package.json': '{"name":"a"}' })).toHaveLength(1);
    const files = {
      'libs/a/package.json': manifest('a', { exports: { '.': './src/a.ts', './b': './src/b.ts' } }),
      'libs/a/src/a.ts': '',
    };
    expect(findings(doors, files)).toEqual([
      'libs/a/package.json:1 exports ./src/b.ts, which is not there',
    ]);
  });

  it('finds a download address in the lock file', () => {
    const text = (resolved: string) => `{\n"packages": { "a": { "resolved": "${resolved}" } } }`;
    expect(findings(lockfile, { 'package-lock.json': text('libs/a') })).toEqual([]);
    expect(findings(lockfile, { 'package-lock.json': text('https://x/y.tgz') })).toEqual([
      expect.stringContaining('package-lock.json:2'),
    ]);
  });

  it('finds another platform’s build that fell out of the lock file', () => {
    const lock = (...installed: string[]) =>
      JSON.stringify({
        packages: {
          'node_modules/a': { optionalDependencies: { 'a-linux': '1.0.0', 'a-darwin': '1.0.0' } },
          ...Object.fromEntries(installed.map((name) => [`node_modules/${name}`, {}])),
        },
      });
    const at = (text: string) => findings(lockfile, { 'package-lock.json': text });
    expect(at(lock('a-linux', 'a/node_modules/a-darwin'))).toEqual([]);
    expect(at(lock('a-linux'))).toEqual([expect.stringContaining('a-darwin')]);
  });
});

describe('links in the docs', () => {
  const tree = {
    'docs/limits.md': '# Limits\n\n## Redis & NATS\n\n## Redis & NATS\n',
    'libs/a/x.ts': '',
  };
  const at = (text: string) => findings(docLinks, { ...tree, 'README.md': text });

  it.each([
    '[limits](docs/limits.md)',
    '[limits](docs/limits.md#limits "title")',
    '[limits](docs/limits.md#redis--nats)',
    '[limits](docs/limits.md#redis--nats-1)',
    '[folder](docs/) and [code](libs/a/x.ts)',
    '# Here\n\n[up](#here)',
    '[far](https://example.org/x#y) [mail](mailto:a@example.org)',
    '`[code](missing.md)`\n\n```md\n[fence](missing.md)\n```',
    '[limits]: docs/limits.md',
  ])('follows %s', (text) => {
    expect(at(text)).toEqual([]);
  });

  it.each([
    '[gone](docs/gone.md)',
    '[gone](docs/limits.md#gone)',
    '[gone](docs/limits.md#redis--nats-2)',
    '[gone](#gone)',
    '![gone](gone.png)',
    '[gone]: gone.md',
    '<img src="gone.png">',
    '[upward](../outside.md)',
  ])('convicts %s', (text) => {
    expect(at(`\n${text}`)).toEqual([expect.stringMatching(/^README\.md:2 /)]);
  });
});
