import { bannedCalls } from './banned-calls.ts';
import { credentials } from './credentials.ts';
import { deadFiles } from './dead-files.ts';
import { declaredImports, doors, licences, lockfile, pinnedVersions } from './dependencies.ts';
import { docLinks } from './doc-links.ts';
import { fileNames, fileSize } from './file-shape.ts';
import { layers } from './layers.ts';
import { openEnds, skippedTests, typeEscapes } from './marks.ts';
import type { Rule } from './project.ts';

/** Every law that `npm run tidy` holds. */
export const rules: readonly Rule[] = [
  layers,
  declaredImports,
  bannedCalls,
  typeEscapes,
  deadFiles,
  fileNames,
  fileSize,
  skippedTests,
  openEnds,
  credentials,
  docLinks,
  doors,
  pinnedVersions,
  licences,
  lockfile,
];
