/**
 * usage: node scripts/ci/expect-line.ts RULE… < OUTPUT
 * Holds the last line of a command's output to rules (see line-rules.ts); fails naming the broken.
 */
import { text } from 'node:stream/consumers';
import { brokenRules } from './line-rules.ts';

const rules = process.argv.slice(2);
const line = (await text(process.stdin)).trimEnd().split('\n').at(-1) ?? '';
const broken = brokenRules(line, rules);
for (const rule of broken) console.error(`✖ the closing line does not hold: ${rule}`);
if (broken.length > 0) console.error(`  it was: ${line}`);
process.exitCode = broken.length === 0 && rules.length > 0 ? 0 : 1;
