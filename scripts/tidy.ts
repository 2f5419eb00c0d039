/** `npm run tidy`: holds the work tree to this repository's own laws. */
import { type Finding, projectOf } from './tidy/project.ts';
import { rules } from './tidy/rules.ts';
import { readWorkTree } from './work-tree.ts';

const project = projectOf(readWorkTree());
let count = 0;

for (const rule of rules) {
  const findings = rule.check(project);
  if (findings.length === 0) continue;
  count += findings.length;
  console.log(`${rule.name}: ${rule.why}`);
  for (const finding of findings) console.log(`  ${print(finding)}`);
}

console.log(
  `tidy: ${rules.length} rules over ${project.files.length} files, ${count} ${count === 1 ? 'finding' : 'findings'}`,
);
if (project.sources.length === 0) throw new Error('no source was read: there is nothing to hold');
process.exitCode = count === 0 ? 0 : 1;

function print({ path, line, message }: Finding): string {
  return `${path}:${line} ${message}`;
}
