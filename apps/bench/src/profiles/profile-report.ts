import { readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { type Share, summariseProfile } from './cpu-profile.ts';

const extension = '.cpuprofile';

/**
 * For people: where the processes whose profiles lie in a folder spent their time.
 * @param top how many entries each list has
 * @throws {Error} when the folder or one of its profiles cannot be read
 */
export async function profileReport(folder: string, top: number): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith(extension)).sort();
  if (files.length === 0) return [`no profiles in ${folder}`];
  const reports = files.map(async (file) => {
    const summary = summariseProfile(await readFile(join(folder, file), 'utf8'));
    const { busySamples, idleSamples, owners, own, whole } = summary;
    return [
      `${basename(file, extension)}: ${busySamples} samples busy, ${idleSamples} idle`,
      '  by owner',
      ...list(owners, top),
      '  in the function itself',
      ...list(own, top),
      '  with what it called',
      ...list(whole, top),
    ];
  });
  return (await Promise.all(reports)).flat();
}

function list(shares: readonly Share[], top: number): readonly string[] {
  return shares
    .slice(0, top)
    .map(({ name, share }) => `    ${(share * 100).toFixed(1).padStart(5)} %  ${name}`);
}
