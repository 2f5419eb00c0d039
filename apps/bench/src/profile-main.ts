/** `npm run profile -- FOLDER [TOP]`: where the processes that were profiled spent their time. */
import { profileReport } from './profiles/profile-report.ts';

const defaultTop = 25;
const [folder, top = String(defaultTop), ...more] = process.argv.slice(2);

if (folder === undefined || more.length > 0 || !/^[1-9]\d{0,3}$/.test(top)) {
  process.stderr.write(
    `Usage: npm run profile -- FOLDER [TOP]\n  FOLDER  what \`npm run bench -- NAME --cpu-prof FOLDER\` wrote\n  TOP     length of each list (${defaultTop})\n`,
  );
  process.exitCode = 2;
} else {
  // A reader such as `head` may have enough before the end.
  process.stdout.on('error', () => {});
  for (const line of await profileReport(folder, Number(top))) process.stdout.write(`${line}\n`);
}
