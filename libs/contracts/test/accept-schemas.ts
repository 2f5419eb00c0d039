/**
 * `npm run schemas`: makes the contracts as they are now the published
 * ones. Refuses a breaking change of a contract whose version was not raised.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { contracts, goldenPath, type Published, publish } from './published.ts';
import { changeBetween } from './schema-change.ts';

const say = (text: string) => process.stdout.write(`${text}\n`);

for (const contract of contracts) {
  const after = publish(contract);
  const before = published(goldenPath(contract));
  const change = before ? changeBetween(before, after) : 'additive';
  if (change === 'none') continue;
  if (before && change === 'breaking' && after.version <= before.version) {
    say(
      `✖ ${contract.name}: older processes would misread it; raise its version, or delete ${goldenPath(contract)} if no release had it`,
    );
    process.exitCode = 1;
    continue;
  }
  writeFileSync(goldenPath(contract), `${JSON.stringify(after, null, 2)}\n`);
  say(`✔ ${contract.name}: version ${after.version} written`);
}
// The repository's own layout of JSON.
const root = join(import.meta.dirname, '../../..');
spawnSync('node_modules/.bin/biome', ['format', '--write', 'libs/contracts/test/golden'], {
  cwd: root,
});

function published(path: string): Published | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
