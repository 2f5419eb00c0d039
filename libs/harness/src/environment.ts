import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/**
 * The surroundings that a started process gets: where programs and the home folder are, and nothing
 * else, so that a developer's own `DISCORD_TOKEN` or `NATS_URL` never reaches a test. The harness is
 * the composition root of the tests, which have no other; hence it reads the environment itself.
 */
export function baseEnvironment(): Record<string, string> {
  const inherited = [
    'PATH',
    'HOME',
    'TMPDIR',
    'LANG',
    'NODE_V8_COVERAGE',
    'NODE_EXTRA_CA_CERTS',
    'NODE_COMPILE_CACHE',
    // Marks the processes of one `npm test`, which looks for those left behind.
    'STARLING_TEST_RUN',
  ];
  const entries = inherited.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return Object.fromEntries(entries);
}

/** APT may need a proxy where a started server must not have one. */
export function networkEnvironment(): Record<string, string> {
  const names = ['http_proxy', 'https_proxy', 'no_proxy', 'APT_CONFIG'];
  const entries = names.flatMap((name) => {
    const value = process.env[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...baseEnvironment(), ...Object.fromEntries(entries) };
}

/** Where fetched servers are kept: `STARLING_CACHE_DIR`, or `.cache/servers` in the repository. */
export function serverCacheDir(): string {
  const configured = process.env.STARLING_CACHE_DIR;
  if (configured) return resolve(configured);
  return join(fileURLToPath(new URL('../../..', import.meta.url)), '.cache', 'servers');
}
